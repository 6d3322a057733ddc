import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { serverSuite } from './support/servers.ts';

const root = join(import.meta.dirname, '..');

/** The proof in small, on servers of its own: `npm run prove:kafka` runs it at full size, and what takes longer. */
serverSuite('the proof on Kafka and Elasticsearch', [], () => {
  test('kills, other producers, equal logs, recreated topics and refused documents lose nothing and double nothing', async () => {
    const parts = ['lines', 'foreign', 'two-logs', 'recreated', 'mapping'].flatMap((name) => ['--only', name]);
    const { code, output } = await run(['--lines', '20000', '--kills', '2', '--seed', '20261125', ...parts]);
    const [last] = output.trimEnd().split('\n').slice(-1);
    // 3: there is no kcat here.
    if (code !== 0 && code !== 3) throw new Error(`exit code ${code}\n${output}`);
    expect(last).toMatch(/^lost=0 duplicated=0 rows=\d+ failed=0$/);
  }, 300_000);
});

function run(parameters: readonly string[]): Promise<{ code: number | string; output: string }> {
  const script = join(root, 'scripts', 'prove-kafka.ts');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['-C', 'sluice-source', script, ...parameters],
      { cwd: root },
      (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, output: stdout + stderr });
      },
    );
  });
}
