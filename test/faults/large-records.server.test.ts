import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { Elasticsearch } from '../connectors/elasticsearch/support/elasticsearch.ts';
import { Cluster, type Read, type Written } from '../connectors/kafka/support/cluster.ts';
import { cleanUp, HubFolder, type HubProcess } from '../cli/support/hub-folder.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';

const MEGABYTE = 1024 * 1024;
/** Were they kept, they alone would be more than the hub may take. */
const LARGE = 16;
const ROOMY = { 'max.message.bytes': `${32 * MEGABYTE}`, 'retention.ms': '-1' };
/** Batches pass as they are, and are opened for a new key. */
const WAYS = { passed: {}, keyed: { key: 'value.n' } };

type Way = keyof typeof WAYS;

interface Outcome {
  readonly code: number | null;
  /** In the order in which they came. */
  readonly delivered: Record<Way, readonly Read[]>;
  readonly published: Record<Way, readonly string[]>;
  /** Code, stage, place and value of each dead letter. */
  readonly letters: Record<Way, readonly string[]>;
  readonly indexed: Record<Way, number> | null;
  /** The most memory that the hub had resident. */
  readonly peakBytes: number;
}

serverSuite('records with more beside their value than in it', ['kafka', 'elasticsearch'], (where) => {
  let cluster: Cluster;
  let server: Elasticsearch;
  let brokers: string[];
  let topic: string;

  beforeAll(() => {
    brokers = [where.kafka.brokers];
    cluster = new Cluster(where.kafka.brokers);
    server = new Elasticsearch(where.elasticsearch.url);
  });
  afterEach(async () => {
    await cleanUp();
    await cluster.client.deleteTopic(topic);
  });
  afterAll(() => cluster.close());

  /** Each record is a batch, so that small ones pass beside large ones. */
  async function fill(more: (n: number) => Partial<Written>, count = 4): Promise<void> {
    topic = await cluster.createTopic(uniqueName('large'), 1, ROOMY);
    const producer = await cluster.client.openProducer({});
    for (let n = 0; n < count; n++) {
      await cluster.produce(topic, 0, [{ value: `{"n":${n}}`, ...more(n) }], { producer });
    }
    await producer.close();
  }

  /** Reads the topic to its end both ways, in one hub. */
  async function read({ hub = '', log = {}, isIndexed = false } = {}): Promise<Outcome> {
    const id = uniqueName('large');
    const yaml = (way: Way): object => ({
      name: `${id}-${way}`,
      sources: [{ kafka: { brokers, topics: [topic] }, ...WAYS[way] }],
      topic: { name: `${id}-${way}`, partitions: 1, ...log },
      sinks: [
        { kafka: { brokers, topic: `${id}-${way}-to` } },
        { file: { path: way } },
        ...(isIndexed ? [{ elasticsearch: { endpoints: [where.elasticsearch.url], index: `${id}-${way}` } }] : []),
      ],
    });
    await both((way) => cluster.createTopic(`${id}-${way}-to`, 1, ROOMY));
    const folder = await HubFolder.create(
      { 'passed.yaml': stringify(yaml('passed')), 'keyed.yaml': stringify(yaml('keyed')) },
      hub,
    );
    const run = folder.run('--once');
    const [code, peakBytes] = await Promise.all([run.exit(), peakOf(run)]);
    return {
      code,
      delivered: await both(async (way) => (await cluster.read(`${id}-${way}-to`)).records),
      published: await both((way) => folder.published(way)),
      letters: await both((way) => lettersOf(folder, `${id}-${way}`)),
      indexed: isIndexed ? await both((way) => server.count(`${id}-${way}`)) : null,
      peakBytes,
    };
  }

  const fillWithLargeKeys = (count: number): Promise<void> =>
    fill((n) => (n % 2 === 0 ? {} : { key: 'k'.repeat(10 * MEGABYTE) }), count);
  const numbers = (records: readonly Read[]): number[] =>
    records.map(({ value }) => (JSON.parse(value!) as { n: number }).n);
  const range = (count: number, step = 1): number[] => Array.from({ length: count }, (_, n) => n * step);
  const lines = (wanted: readonly number[]): string[] => wanted.map((n) => `{"n":${n}}`).sort();

  test('keys of 10 MB beyond the limit: dead letters with their places; neighbours in order, memory bounded', async () => {
    await fillWithLargeKeys(2 * LARGE);
    const { code, delivered, published, letters, peakBytes } = await read();
    expect(code).toBe(3);
    for (const way of ['passed', 'keyed'] as const) {
      const wanted = range(LARGE, 2);
      expect(numbers(delivered[way])).toEqual(wanted);
      expect(published[way]).toEqual(lines(wanted));
      expect(letters[way]).toEqual(
        range(LARGE, 2).map((n) => `RECORD_TOO_LARGE source ${topic}/0@${n + 1} {"n":${n + 1}}`),
      );
    }
    expect(peakBytes).toBeLessThan(550 * MEGABYTE);
  });

  test('keys of 10 MB within the limit: they pass whole, and a new key takes their place', async () => {
    await fillWithLargeKeys(6);
    const { code, delivered, published } = await read({
      hub: 'buffer_size: 192MiB',
      log: { max_record: '16MiB' },
    });
    expect(code).toBe(0);
    const wanted = range(6);
    for (const way of ['passed', 'keyed'] as const) {
      expect(numbers(delivered[way])).toEqual(wanted);
      expect(published[way]).toEqual(lines(wanted));
    }
    const keyBytes = delivered.passed.map(({ key }) => key?.length ?? 0);
    expect(keyBytes).toEqual(wanted.map((n) => (n % 2) * 10 * MEGABYTE));
    expect(delivered.keyed.map(({ key }) => key)).toEqual(wanted.map(String));
  });

  test('a hundred thousand headers pass whole, into files and Elasticsearch without harm', async () => {
    const headers = range(100_000).map((n) => [`h${n}`, 'v'] as const);
    await fill((n) => (n % 2 === 0 ? {} : { headers }));
    const { code, delivered, published, indexed } = await read({ isIndexed: true });
    expect(code).toBe(0);
    expect(indexed).toEqual({ passed: 4, keyed: 4 });
    for (const way of ['passed', 'keyed'] as const) {
      expect(numbers(delivered[way])).toEqual(range(4));
      expect(published[way]).toEqual(lines(range(4)));
      const written = JSON.stringify(headers);
      expect(delivered[way].map((record) => JSON.stringify(record.headers) === written)).toEqual([
        false,
        true,
        false,
        true,
      ]);
    }
  });

  test('headers whose lengths alone are too much for the topic are no reason to stop', async () => {
    const headers = range(100_000).map((n) => [`h${String(n).padStart(8, '0')}`, 'v'] as const);
    await fill((n) => (n % 2 === 0 ? {} : { headers }));
    const { code, delivered, letters } = await read({ hub: `kafka: { brokers: ["${brokers[0]!}"] }` });
    expect(code).toBe(3);
    for (const way of ['passed', 'keyed'] as const) {
      expect(numbers(delivered[way])).toEqual([0, 2]);
      expect(letters[way]).toEqual([1, 3].map((n) => `RECORD_TOO_LARGE source ${topic}/0@${n} {"n":${n}}`));
    }
  });
});

async function both<Value>(valueOf: (way: Way) => Promise<Value>): Promise<Record<Way, Value>> {
  const [passed, keyed] = await Promise.all([valueOf('passed'), valueOf('keyed')]);
  return { passed, keyed };
}

async function lettersOf(folder: HubFolder, pipeline: string): Promise<string[]> {
  const shown = folder.sluice('dlq', 'show', pipeline, '--json', '--last', '100');
  await shown.exit();
  return shown.stdout.split('\n').flatMap((line) => {
    if (line === '') return [];
    const { code, stage, source_position: place, value } = JSON.parse(line) as Record<string, string>;
    return [`${code!} ${stage!} ${place!} ${value!}`];
  });
}

/** Of a process that ends by itself. */
async function peakOf({ pid }: HubProcess): Promise<number> {
  let peak = 0;
  for (;;) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    if (kibibytes === undefined) return peak;
    peak = Number(kibibytes) * 1024;
    await sleep(10);
  }
}
