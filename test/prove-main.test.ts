import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The proof in small: `npm run prove:main` runs it at full size. */
test('kills lose nothing and double nothing', async () => {
  const parts = ['lines', 'lines-keyed', 'posts', 'posts-keyed'].flatMap((name) => ['--only', name]);
  const { code, output } = await run(['--lines', '20000', '--kills', '4', '--seed', '20261124', ...parts]);
  const [last] = output.trimEnd().split('\n').slice(-1);
  // 3: there is no Java here to judge the segments with.
  if (code !== 0 && code !== 3) throw new Error(`exit code ${code}\n${output}`);
  expect(last).toMatch(/^lost=0 duplicated=0 rows=\d+ failed=0$/);
}, 90_000);

function run(parameters: readonly string[]): Promise<{ code: number | string; output: string }> {
  const script = join(root, 'scripts', 'prove-main.ts');
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
