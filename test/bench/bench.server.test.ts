import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Report } from '../../bench/rows.ts';
import { serverSuite } from '../support/servers.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

serverSuite('the bench in small', ['kafka'], (where) => {
  test('measures the built hub on the path from a file into Kafka, and prints one line of JSON', async () => {
    const script = join(root, 'bench', 'main.ts');
    const options = ['--json', '--runs', '1', '--records', '20000', '--codec', 'lz4', '--system', 'sluice'];
    const parameters = [...options, '--brokers', where.kafka.brokers, 'file-kafka'];
    const { stdout } = await run(process.execPath, ['-C', 'sluice-source', script, ...parameters], { cwd: root });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const { rows, failed } = JSON.parse(stdout) as Report;
    expect(failed).toEqual([]);
    expect(rows).toEqual([
      expect.objectContaining({ path: 'file-kafka', system: 'sluice', codec: 'lz4', runs: 1 }) as unknown,
    ]);
    for (const figure of [
      'records_per_second',
      'cpu_seconds_per_million',
      'startup_cpu_seconds',
      'peak_rss_mb',
    ] as const)
      expect(rows[0]![figure]).toBeGreaterThan(0);
  });
});
