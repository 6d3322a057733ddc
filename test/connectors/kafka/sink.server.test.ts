import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readBatchHeader } from '../../../src/record/index.ts';
import { kafkaTool, proxiedKafka, serverSuite, uniqueName } from '../../support/servers.ts';
import { cleanUp, HubFolder } from '../../cli/support/hub-folder.ts';
import { Cluster } from './support/cluster.ts';

serverSuite('sink kafka', ['kafka'], (where) => {
  let cluster: Cluster;

  beforeAll(() => {
    cluster = new Cluster(where.kafka.brokers);
  });
  afterEach(cleanUp);
  afterAll(() => cluster.close());

  async function hubOf(options: string, beside = ''): Promise<HubFolder> {
    const yaml = `name: out
sources:
  - file: { include: ['in/*.log'] }
topic: { name: lines, partitions: 2, compression: zstd }
sinks:
  - kafka: { brokers: ['${where.kafka.brokers}'], ${options} }
${beside}
`;
    return HubFolder.create({ 'out.yaml': yaml });
  }

  async function deliver(folder: HubFolder, lines: readonly string[], code = 0): Promise<string> {
    await writeInput(folder, lines);
    const hub = folder.run('--once');
    const ended = await hub.exit();
    if (ended !== code) throw new Error(`run --once ended with ${ended}\n${hub.stderr}`);
    return hub.stderr;
  }

  test('stored batches pass as they are: compressed, in order, once', async () => {
    const topic = await cluster.createTopic(uniqueName('sink'), 3);
    const lines = Array.from({ length: 20_000 }, (_, number) => JSON.stringify({ number, text: 'the same text' }));
    const folder = await hubOf(`topic: ${topic}`);
    await deliver(folder, lines);
    const { records, stored } = await cluster.read(topic);
    expect(records.map(({ value }) => value)).toEqual(lines);
    for (const bytes of stored) expect(readBatchHeader(bytes, 0).compression).toBe('zstd');
    await deliver(folder, [...lines, '{"later":true}']);
    expect((await cluster.values(topic)).slice(lines.length)).toEqual(['{"later":true}']);
  });

  test('a condition opens them, and the key spreads as Kafka does', async () => {
    const source = await cluster.createTopic(uniqueName('sink-from'), 1, { 'retention.ms': '-1' });
    const topic = await cluster.createTopic(uniqueName('sink-key'), 4, { 'retention.ms': '-1' });
    const byKafka = await cluster.createTopic(uniqueName('sink-kafka'), 4);
    const records = Array.from({ length: 40 }, (_, number) => ({
      value: JSON.stringify({ number }),
      key: `key-${number}`,
      timestamp: 1_700_000_000_000 + number,
      headers: [['trace', `t${number}`]] as const,
    }));
    await cluster.produce(source, 0, records);
    const yaml = `name: out
sources:
  - kafka: { brokers: ['${where.kafka.brokers}'], topics: ['${source}'] }
topic: lines
sinks:
  - kafka: { brokers: ['${where.kafka.brokers}'], topic: ${topic}, partition_by: key, compression: gzip }
    where: value.number % 2 == 0
`;
    const folder = await HubFolder.create({ 'out.yaml': yaml });
    expect(await folder.run('--once').exit()).toBe(0);
    const input = records.map(({ key, value }) => `${key}\t${value}\n`).join('');
    await produceByKafka(where.kafka.brokers, byKafka, input);
    const placed = new Map((await cluster.read(byKafka)).records.map(({ key, partition }) => [key, partition]));
    const { records: written } = await cluster.read(topic);
    expect(written).toHaveLength(20);
    for (const { key, value, partition, timestamp, headers } of written) {
      const { number } = JSON.parse(value!) as { number: number };
      expect(number % 2).toBe(0);
      expect({ key, partition }).toEqual({ key: `key-${number}`, partition: placed.get(key) });
      expect({ timestamp, headers }).toEqual({
        timestamp: 1_700_000_000_000 + number,
        headers: [['trace', `t${number}`]],
      });
    }
  });

  test('a topic that is not there is named and waited for', async () => {
    const topic = uniqueName('sink-later');
    const folder = await hubOf(`topic: ${topic}`);
    await writeInput(folder, ['one']);
    const hub = folder.run();
    await hub.until('the missing topic is named', () => hub.stderr.includes(topic), 30_000);
    await cluster.createTopic(topic);
    await hub.until('it is there', async () => (await cluster.values(topic)).length === 1, 60_000);
    expect(await hub.end('SIGTERM')).toBe(0);
  });

  test('the topic may hang on the record; names that are no topics become dead letters, and hold back nobody', async () => {
    const prefix = uniqueName('sink-by');
    await cluster.createTopic(`${prefix}-fr`);
    const folder = await hubOf(`topic: "${prefix}-{{ value.country }}"`);
    const lines = ['fr', 'de', '../fr', 'x'.repeat(250 - prefix.length), 'fr'].map((country) =>
      JSON.stringify({ country }),
    );
    await deliver(folder, lines, 3);
    expect(await cluster.values(`${prefix}-fr`)).toEqual([lines[0], lines[4]]);
    const letters = folder.sluice('dlq', 'list', '--json');
    await letters.exit();
    const { causes } = JSON.parse(letters.stdout) as { causes: { code: string; stage: string; records: number }[] };
    expect(causes.map(({ code, stage, records }) => [code, stage, records]).sort()).toEqual([
      ['TEMPLATE_ESCAPED', 'template', 2],
      ['TOPIC_UNKNOWN', 'write', 1],
    ]);
  });

  test('what the broker finds too large becomes a dead letter, all others arrive once', async () => {
    const topic = await cluster.createTopic(uniqueName('sink-large'), 1, { 'max.message.bytes': '20000' });
    const lines = Array.from({ length: 200 }, (_, number) => JSON.stringify({ number, text: 'x'.repeat(400) }));
    // Not to be squeezed below the limit.
    const large = JSON.stringify({ text: randomBytes(60_000).toString('base64') });
    const folder = await hubOf(`topic: ${topic}`);
    await deliver(folder, [...lines.slice(0, 100), large, ...lines.slice(100)], 3);
    expect((await cluster.values(topic)).sort()).toEqual([...lines].sort());
    const letters = folder.sluice('dlq', 'list', '--json');
    await letters.exit();
    expect(letters.stdout).toContain('RECORD_TOO_LARGE');
  });

  test('a broker that is away: the leg says what it waits for, and goes on by itself', async () => {
    const { server, proxy } = await proxiedKafka();
    const own = new Cluster(server.where.brokers);
    try {
      const topic = await own.createTopic('behind-proxy');
      const folder = await HubFolder.create({
        'out.yaml': `name: out
sources:
  - file: { include: ['in/*.log'] }
topic: lines
sinks:
  - kafka: { brokers: ['${proxy.address}'], topic: ${topic} }
`,
      });
      await writeInput(folder, ['one']);
      const hub = folder.run();
      await hub.until('the first is there', async () => (await own.values(topic)).length === 1, 30_000);
      proxy.refuse();
      proxy.cut();
      await writeInput(folder, ['one', 'two']);
      await hub.until(
        'the status says so',
        async () => /degraded[\s\S]*127\.0\.0\.1/.test((await folder.api('/status')).body),
        30_000,
      );
      await proxy.accept();
      await hub.until('the second is there', async () => (await own.values(topic)).length === 2, 30_000);
      expect(await own.values(topic)).toEqual(['one', 'two']);
      expect(await hub.end('SIGTERM')).toBe(0);
    } finally {
      await own.close();
      proxy.close();
      await server.down();
    }
  });
});

async function writeInput(folder: HubFolder, lines: readonly string[]): Promise<void> {
  await mkdir(join(folder.path, 'in'), { recursive: true });
  await folder.write('in/a.log', lines.map((line) => `${line}\n`).join(''));
}

async function produceByKafka(brokers: string, topic: string, input: string): Promise<void> {
  const options = ['--bootstrap-server', brokers, '--topic', topic];
  const keyed = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=\t'];
  await kafkaTool('org.apache.kafka.tools.ConsoleProducer', [...options, ...keyed], input);
}
