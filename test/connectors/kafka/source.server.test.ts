import { kafkaTool, serverSuite, uniqueName } from '../../support/servers.ts';
import { cleanUp, HubFolder, type HubProcess } from '../../cli/support/hub-folder.ts';
import { Cluster } from './support/cluster.ts';

const values = (count: number, prefix = 'v'): { value: string; key: string }[] =>
  Array.from({ length: count }, (_, number) => ({ value: `${prefix}${String(number).padStart(6, '0')}`, key: 'k' }));

serverSuite('source kafka', ['kafka'], (where) => {
  let cluster: Cluster;

  beforeAll(() => {
    cluster = new Cluster(where.kafka.brokers);
  });
  afterEach(cleanUp);
  afterAll(() => cluster.close());

  /** A hub on the embedded log that copies what the source reads into files. */
  function hubOf(options: string, beside = ''): Promise<HubFolder> {
    const yaml = `name: copy
sources:
  - kafka: { brokers: ['${where.kafka.brokers}'], ${options} }
${beside}
topic: { name: copy, partitions: 3 }
sinks:
  - file: { path: out, roll: { age: 1s, idle: 100ms } }
`;
    return HubFolder.create({ 'copy.yaml': yaml });
  }

  async function runOnce(folder: HubFolder): Promise<void> {
    const hub = folder.run('--once');
    const code = await hub.exit();
    if (code !== 0) throw new Error(`run --once ended with ${code}\n${hub.stderr}`);
  }

  test('reads topics to the end that they have, in every compression, once each, and goes on behind it', async () => {
    const topic = await cluster.createTopic(uniqueName('source'), 4);
    const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
    for (const [index, compression] of compressions.entries()) {
      await cluster.produce(topic, index % 4, values(500, compression), { compression });
    }
    const folder = await hubOf(`topics: ['${topic}']`);
    await runOnce(folder);
    const expected = compressions.flatMap((compression) => values(500, compression)).map(({ value }) => value);
    expect(await folder.published('out')).toEqual(expected.sort());
    await cluster.produce(topic, 0, values(10, 'later'));
    await runOnce(folder);
    await runOnce(folder);
    expect(await folder.published('out')).toEqual(
      [...expected, ...values(10, 'later').map(({ value }) => value)].sort(),
    );
    const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
      ...['--bootstrap-server', where.kafka.brokers],
      ...['--describe', '--group', 'sluice.default.copy.source.kafka'],
    ]);
    const lags = stdout.split('\n').flatMap((line) => (line.includes(topic) ? [line.trim().split(/\s+/)[5]] : []));
    expect(lags).toEqual(['0', '0', '0', '0']);
  });

  test('a leg with a key opens the batches, and records above the limit become dead letters', async () => {
    const topic = await cluster.createTopic(uniqueName('source-key'), 1);
    const large = JSON.stringify({ user: 'u', text: 'x'.repeat(300_000) });
    const small = ['a', 'b', 'a'].map((user, number) => JSON.stringify({ user, number }));
    await cluster.produce(
      topic,
      0,
      [small[0]!, large, ...small.slice(1)].map((value) => ({ value })),
    );
    const folder = await hubOf(`topics: ['${topic}']`, '    key: value.user');
    const yaml = `name: copy
sources:
  - kafka: { brokers: ['${where.kafka.brokers}'], topics: ['${topic}'] }
    key: value.user
topic: { name: copy, partitions: 3, max_record: 256KiB }
sinks:
  - file: { path: out }
`;
    await folder.write('copy.yaml', yaml);
    const hub = folder.run('--once');
    expect(await hub.exit()).toBe(3);
    expect(await folder.published('out')).toEqual([...small].sort());
    const letters = folder.sluice('dlq', 'list', '--json');
    await letters.exit();
    expect(letters.stdout).toContain('RECORD_TOO_LARGE');
    const shown = folder.sluice('dlq', 'show', 'copy', '--json');
    await shown.exit();
    expect(shown.stdout).toContain(`${topic}/0@1`);
  });

  test('aborted records are not read, committed ones are', async () => {
    const topic = await cluster.createTopic(uniqueName('source-tx'), 1);
    const producer = await cluster.client.openProducer({ transactionalId: uniqueName('tx') });
    await cluster.produce(topic, 0, values(3, 'aborted'), { producer });
    await producer.abortTransaction();
    await cluster.produce(topic, 0, values(3, 'committed'), { producer });
    await producer.commitTransaction();
    await producer.close();
    const folder = await hubOf(`topics: ['${topic}']`);
    await runOnce(folder);
    expect(await folder.published('out')).toEqual(values(3, 'committed').map(({ value }) => value));
  });

  test('starts where it is told: latest, a time, offsets; and by a pattern', async () => {
    const topic = await cluster.createTopic(uniqueName('source-start'), 1, { 'retention.ms': '-1' });
    const records = values(6).map((record, number) => ({ ...record, timestamp: Date.UTC(2026, 0, 1 + number) }));
    await cluster.produce(topic, 0, records);
    const starts = {
      "start: { time: '2026-01-03T00:00:00Z' }": 4,
      [`start: { offsets: { '${topic}/0': 5 } }`]: 1,
      'start: latest': 0,
    };
    for (const [start, count] of Object.entries(starts)) {
      const folder = await hubOf(`topic_pattern: '${topic.slice(0, -1)}.', group: '${uniqueName('start')}', ${start}`);
      await runOnce(folder);
      expect(await folder.published('out')).toHaveLength(count);
    }
  });

  test('a topic that was made anew is read from its beginning, by a hub that runs', async () => {
    const topic = await cluster.createTopic(uniqueName('source-anew'), 1);
    await cluster.produce(topic, 0, values(50, 'old'));
    const folder = await hubOf(`topics: ['${topic}']`);
    const hub = folder.run();
    const has = async (count: number): Promise<boolean> => (await folder.published('out')).length === count;
    await hub.until('the old records are there', () => has(50), 30_000);
    await cluster.client.deleteTopic(topic);
    await cluster.createTopic(topic, 1);
    await cluster.produce(topic, 0, values(20, 'new'));
    await hub.until('the new records are there', () => has(70), 30_000);
    expect(await hub.end('SIGTERM')).toBe(0);
    expect(await folder.published('out')).toEqual(
      [...values(20, 'new'), ...values(50, 'old')].map(({ value }) => value),
    );
  });

  test('hubs of a group share the partitions, and one takes over from another that was killed', async () => {
    const topic = await cluster.createTopic(uniqueName('source-shared'), 4);
    const target = uniqueName('source-target');
    const yaml = `name: ${target}
sources:
  - kafka: { brokers: ['${where.kafka.brokers}'], topics: ['${topic}'], client: { session_timeout: 6s } }
topic: { name: ${target}, partitions: 2 }
`;
    const hub = `kafka: { brokers: ['${where.kafka.brokers}'] }\ngroup: shared`;
    const folders = [await HubFolder.create({ 'p.yaml': yaml }, hub), await HubFolder.create({ 'p.yaml': yaml }, hub)];
    const [first, second] = folders.map((folder) => folder.run()) as [HubProcess, HubProcess];
    const group = `sluice.shared.${target}.source.kafka`;
    const members = async (): Promise<number> => (await cluster.client.describeGroup(group))?.members.length ?? 0;
    await second.until('both are members', async () => (await members()) === 2, 30_000);
    const write = async (round: string): Promise<string[]> => {
      for (const partition of [0, 1, 2, 3])
        await cluster.produce(topic, partition, values(250, `${round}${partition}-`));
      return [0, 1, 2, 3].flatMap((partition) => values(250, `${round}${partition}-`).map(({ value }) => value));
    };
    const expected = await write('a');
    await first.end('SIGKILL');
    expected.push(...(await write('b')));
    const arrived = async (): Promise<Set<string | null>> => new Set(await cluster.values(target));
    await second.until('the other has read it all', async () => (await arrived()).size === expected.length, 30_000);
    expect([...(await arrived())].sort()).toEqual(expected.sort());
    expect(await second.end('SIGTERM')).toBe(0);
  });

  test('mistakes are problems with their place', async () => {
    const folder = await hubOf("topic_pattern: '(', start: { time: 'noon' }");
    const validate = folder.sluice('validate');
    expect(await validate.exit()).toBe(2);
    expect(validate.stdout + validate.stderr).toMatch(/is no regular expression[\s\S]*`noon` is no time/);
  });
});
