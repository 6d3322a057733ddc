import { randomBytes } from 'node:crypto';
import { Cluster } from '../connectors/kafka/support/cluster.ts';
import { Elasticsearch } from '../connectors/elasticsearch/support/elasticsearch.ts';
import { Proxy } from '../connectors/support/proxy.ts';
import { cleanUp, type HubFolder } from '../cli/support/hub-folder.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { append, kafkaHub, numbered, says } from './support/kafka-hub.ts';

const PATIENCE_MS = 30_000;
/** Refuses what is no JSON; all else passes. */
const FILES_WITH_CONDITION = `file: { path: out, roll: { age: 1s, idle: 100ms } }
    where: value.n != ""`;

interface Letter {
  readonly code: string;
  readonly value: string | null;
  readonly [name: string]: unknown;
}

serverSuite('a hub whose records a healthy server refuses', ['kafka', 'elasticsearch'], (where) => {
  let cluster: Cluster;
  let brokers: string;
  let name: string;

  beforeAll(() => {
    ({ brokers } = where.kafka);
    cluster = new Cluster(brokers);
  });
  beforeEach(() => {
    name = uniqueName('refused');
  });
  afterEach(cleanUp);
  afterAll(() => cluster.close());

  async function committed(sink = 'file'): Promise<number> {
    const offsets = await cluster.client.groupOffsets(`sluice.${name}.${name}.sink.${sink}`);
    return offsets[0]?.next ?? 0;
  }

  const published = (folder: HubFolder, count: number) => async (): Promise<boolean> =>
    (await folder.published('out')).length >= count;

  async function lettersOf(folder: HubFolder): Promise<Letter[]> {
    const shown = folder.sluice('dlq', 'show', name, '--json');
    await shown.exit();
    const lines = shown.stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Letter);
  }

  test('a topic that takes less than the pipeline: what does not fit is a dead letter, all others arrive once', async () => {
    await cluster.createTopic(name, 1, { 'max.message.bytes': '20000' });
    const folder = await kafkaHub({ brokers, name });
    const large = JSON.stringify({ n: randomBytes(40_000).toString('base64') });
    await append(folder, [...numbered('a', 0, 2000), large, ...numbered('b', 0, 2000)]);
    const hub = folder.run();
    await hub.until('all others are published', published(folder, 4000), PATIENCE_MS);
    expect(await hub.end('SIGTERM')).toBe(0);
    expect(await folder.published('out')).toEqual([...numbered('a', 0, 2000), ...numbered('b', 0, 2000)]);
    expect(await lettersOf(folder)).toMatchObject([{ code: 'RECORD_TOO_LARGE' }]);
  });

  test('a dead letter that its topic does not take is trimmed, and kept by reference at last', async () => {
    await cluster.createTopic(`${name}.dead`, 1, { 'max.message.bytes': '6000' });
    const folder = await kafkaHub({ brokers, name, sink: FILES_WITH_CONDITION });
    const large = randomBytes(20_000).toString('base64');
    await append(folder, ['small poison', large, ...numbered('b', 0, 100)]);
    const hub = folder.run();
    await hub.until('the offset passes', async () => (await committed()) === 102, PATIENCE_MS);
    expect(await hub.end('SIGTERM')).toBe(0);
    expect(await folder.published('out')).toEqual(numbered('b', 0, 100));
    const letters = await lettersOf(folder);
    expect(letters).toMatchObject([
      { value: 'small poison', by_reference: false },
      { value: null, by_reference: true },
    ]);
    const { records } = await cluster.read(`${name}.dead`);
    const place = new Map(records[1]!.headers);
    expect(place.get('__connect.errors.topic')).toBe(name);
    expect(place.get('__connect.errors.offset')).toBe('1');
  });

  test('headers that pretend to be ours are replaced in a dead letter', async () => {
    const from = await cluster.createTopic(`${name}-from`);
    const headers = [
      ['__connect.errors.topic', 'elsewhere'],
      ['sluice.errors.code', 'HARMLESS'],
      ['sluice.errors.hops', '9e99'],
      ['trace', 't'],
    ] as const;
    await cluster.produce(from, 0, [{ value: 'poison', headers }]);
    const folder = await kafkaHub({ brokers, name, sink: FILES_WITH_CONDITION });
    await folder.write(
      'p.yaml',
      `name: ${name}
sources:
  - kafka: { brokers: ['${brokers}'], topics: ['${from}'] }
topic: ${name}
sinks:
  - ${FILES_WITH_CONDITION}
`,
    );
    const hub = folder.run('--once');
    expect(await hub.exit()).toBe(3);
    const { records } = await cluster.read(`${name}.dead`);
    expect(records).toHaveLength(1);
    const kept = records[0]!.headers;
    const of = (header: string): unknown[] => kept.filter(([key]) => key === header).map(([, value]) => value);
    expect(of('__connect.errors.topic')).toEqual([name]);
    expect(of('sluice.errors.code')).not.toContain('HARMLESS');
    expect(of('sluice.errors.hops')).toHaveLength(1);
    expect(of('trace')).toEqual(['t']);
  });

  test('one document of a batch is refused for now: the offset stays in front of it, over a kill as well', async () => {
    const server = new Elasticsearch(where.elasticsearch.url);
    const full = `${name}-full`;
    const free = `${name}-free`;
    const count = (index: string): Promise<number> => server.count(index).catch(() => 0);
    await server.ask('PUT', `/${full}`);
    await server.ask('PUT', `/${full}/_settings`, { 'index.blocks.read_only_allow_delete': true });
    const sink = `elasticsearch: { endpoints: ['${where.elasticsearch.url}'], index: '${name}-{{ value.to }}' }`;
    const folder = await kafkaHub({ brokers, name, sink });
    await append(
      folder,
      Array.from({ length: 200 }, (_, n) => JSON.stringify({ n, to: n === 7 ? 'full' : 'free' })),
    );
    const hub = folder.run();
    await hub.until('the others are written', async () => (await count(free)) === 199, PATIENCE_MS);
    await hub.until('it says why', says(folder, /degraded: .*flood-stage/), PATIENCE_MS);
    expect(await committed('elasticsearch')).toBeLessThanOrEqual(7);
    await hub.end('SIGKILL');
    expect(await committed('elasticsearch')).toBeLessThanOrEqual(7);
    await server.ask('PUT', `/${full}/_settings`, { 'index.blocks.read_only_allow_delete': null });
    const again = folder.run();
    await again.until('the offset is behind all', async () => (await committed('elasticsearch')) === 200, PATIENCE_MS);
    expect([await count(full), await count(free)]).toEqual([1, 199]);
    expect(await again.end('SIGTERM')).toBe(0);
  });

  test('one broken document, and the answer is lost: the others once, one dead letter, two requests', async () => {
    const server = new Elasticsearch(where.elasticsearch.url);
    await server.ask('PUT', `/${name}`, { mappings: { properties: { n: { type: 'long' } } } });
    const proxy = await Proxy.start(where.elasticsearch.url);
    try {
      proxy.swallows = 1;
      const sink = `elasticsearch: { endpoints: ['${proxy.url}'], index: ${name} }`;
      const folder = await kafkaHub({ brokers, name, sink });
      const lines = Array.from({ length: 100 }, (_, n) => JSON.stringify({ n }));
      await append(folder, lines.with(42, '{"n":"not a number"}'));
      const hub = folder.run('--once');
      expect(await hub.exit()).toBe(3);
      expect(proxy.swallowed).toBe(1);
      expect(await server.count(name)).toBe(99);
      expect(await lettersOf(folder)).toHaveLength(1);
      const stats = await server.ask('GET', `/${name}/_stats/bulk`);
      expect(JSON.stringify(stats)).toContain('"total_operations":2');
    } finally {
      await proxy.stop();
    }
  });
});
