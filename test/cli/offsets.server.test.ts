import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaTool, serverSuite, uniqueName } from '../support/servers.ts';
import { cleanUp, HubFolder } from './support/hub-folder.ts';
import { runHere } from './support/run-here.ts';

const GROUPS_TOOL = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
const LINES = Array.from({ length: 40 }, (_, index) => `{"n":${100 + index}}`);

interface Changed {
  readonly changes: readonly { place: string; from: unknown; to: unknown }[];
  readonly left: readonly { what: string; why: string }[];
}

/** Files into one topic, which goes into files and, by a second pipeline, into another topic and files. */
function pipelines(name: string, brokers: string): Record<string, string> {
  const legs = (source: string, pipeline: string, out: string): string => `
name: ${pipeline}
sources: [${source}]
topic: { name: ${pipeline}, partitions: 2, replication_factor: 1 }
sinks:
  - file: { path: ${out}, roll: { idle: 50ms } }
    name: out
`;
  const file = `{ file: { include: ['in.log'] }, key: value.n, name: in }`;
  const kafka = `{ kafka: { brokers: ['${brokers}'], topics: ['${name}'] }, name: in }`;
  return { 'p.yaml': legs(file, name, 'out'), 'q.yaml': legs(kafka, `${name}-copy`, 'copied') };
}

serverSuite('offsets on Kafka', ['kafka'], (where) => {
  afterEach(cleanUp);

  test('are moved, exported and imported, with files of Kafka’s own tool too, while nobody runs what they are of', async () => {
    const { brokers } = where.kafka;
    const name = uniqueName('moved');
    const sinkGroup = `sluice.${name}.${name}.sink.out`;
    const hub = `kafka: { brokers: ['${brokers}'], client: { session_timeout: 6s } }\ngroup: ${name}\n`;
    const make = (): Promise<HubFolder> => HubFolder.create(pipelines(name, brokers), hub);
    const [folder, elsewhere] = [await make(), await make()];
    const path = join(folder.path, 'in.log');
    await folder.write('in.log', `${LINES.join('\n')}\n`);
    const offsets = async (...args: string[]): Promise<Changed> => {
      const { stdout, stderr, code } = await runHere(folder.path, ['offsets', ...args, '--json']);
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout) as Changed;
    };
    const tool = async (...args: string[]): Promise<string> =>
      (await kafkaTool(GROUPS_TOOL, ['--bootstrap-server', brokers, '--group', sinkGroup, ...args])).stdout;
    /** What came into the files of a sink since the last look. */
    const seen = new Map<string, string[]>();
    const delivered = async (...names: string[]): Promise<string[][]> => {
      expect(await folder.run('--once', ...names).exit()).toBe(0);
      return Promise.all(
        ['out', 'copied'].map(async (out) => {
          const now = await folder.published(out);
          const fresh = [...now];
          for (const line of seen.get(out) ?? []) fresh.splice(fresh.indexOf(line), 1);
          seen.set(out, now);
          return fresh;
        }),
      );
    };
    expect(await delivered(name)).toEqual([LINES, []]);

    // A dry run changes nothing; a sink with manifests obeys what is done.
    await runHere(folder.path, ['offsets', 'export', `${name}/out`, '--format', 'kafka', '-o', 'ends.csv']);
    expect((await offsets('reset', `${name}/out`, '--to', 'earliest')).changes).toHaveLength(2);
    const same = (file: string): Promise<{ code: number }> =>
      runHere(folder.path, ['offsets', 'diff', file, `${name}/out`]);
    expect((await same('ends.csv')).code).toBe(0);
    await offsets('reset', `${name}/out`, '--to', '-1h', '--execute');
    expect(await delivered(name)).toEqual([LINES, []]);

    // What Kafka's tool exports is imported …
    const csv = await tool('--topic', name, '--reset-offsets', '--to-earliest', '--export', '--dry-run');
    await folder.write('earliest.csv', csv);
    const imported = await offsets('import', 'earliest.csv', '--leg', `${name}/out`, '--execute');
    expect(imported.changes.map(({ to }) => to)).toEqual([0, 0]);
    expect((await same('earliest.csv')).code).toBe(0);
    // … and what is exported here is read by it.
    const reset = await tool('--reset-offsets', '--from-file', join(folder.path, 'ends.csv'), '--execute');
    for (const line of (await readFile(join(folder.path, 'ends.csv'), 'utf8')).trimEnd().split('\n'))
      expect(reset).toMatch(new RegExp(line.split(',').join('\\s+')));
    expect((await same('ends.csv')).code).toBe(0);

    // A file by its byte, under the id of this hub; a topic of a source that is Kafka itself.
    const at = LINES.slice(0, 30).join('\n').length + 1;
    expect((await offsets('set', `${name}/in`, `${path}=${at}`, '--execute')).changes).toMatchObject([{ place: path }]);
    expect(await delivered(name)).toEqual([LINES.slice(30), []]);
    const all = [...LINES, ...LINES.slice(30)].sort();
    expect(await delivered(`${name}-copy`)).toEqual([[], all]);
    await runHere(folder.path, ['offsets', 'export', '-o', 'all.json']);
    await offsets('reset', `${name}-copy/in`, '--to', 'earliest', '--execute');
    expect(await delivered(`${name}-copy`)).toEqual([[], all]);
    expect((await offsets('import', 'all.json', '--execute')).changes.length).toBeGreaterThan(0);
    expect((await runHere(folder.path, ['offsets', 'diff', 'all.json'])).code).toBe(0);

    // Here the folder is taken; from another host the groups of sinks, or of the source, show that it runs.
    const hubProcess = folder.run();
    await hubProcess.until(
      'all run',
      async () => (await folder.api('/ready').catch(() => null))?.status === 200,
      30_000,
    );
    const group = async (): Promise<string> => tool('--describe', '--members');
    await hubProcess.until('the sink is a member', async () => (await group()).includes('CONSUMER-ID'), 30_000);
    for (const [host, leg, code, why] of [
      [folder, 'out', 75, `process ${hubProcess.pid}`],
      [elsewhere, 'out', 1, 'has a member'],
      [elsewhere, 'in', 1, 'has a member'],
    ] as const) {
      const full = leg === 'in' ? `${name}-copy/in` : `${name}/${leg}`;
      const refused = await runHere(host.path, ['offsets', 'reset', full, '--to', 'earliest', '--execute']);
      expect([refused.code, refused.stderr]).toEqual([code, expect.stringContaining(why)]);
    }
    expect(await hubProcess.end('SIGTERM')).toBe(0);
  }, 180_000);
});
