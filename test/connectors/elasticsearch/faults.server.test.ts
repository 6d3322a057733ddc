import { sinkDefinition } from '../../../connectors/elasticsearch/index.ts';
import type { Json, SinkDefinition, WriteResult } from '../../../src/api/index.ts';
import type { SubscribeOptions, TopicSubscription } from '../../../src/log/topic-log.ts';
import type { BufferPool } from '../../../src/record/index.ts';
import type { SinkHarness } from '../../../src/testing/index.ts';
import { FastClock } from '../../pipeline/support/clock.ts';
import { fill } from '../../pipeline/support/fill.ts';
import { MemoryLog } from '../../pipeline/support/memory-log.ts';
import { accepted, eventually, sinkOf, startTest } from '../../pipeline/support/pipeline.ts';
import { ownServer, serverSuite, uniqueName, type OwnServer } from '../../support/servers.ts';
import { Elasticsearch } from './support/elasticsearch.ts';
import { Proxy } from '../support/proxy.ts';
import { sinkHarness, sinkOptions } from './support/sink.ts';

const credentials = { username: 'sluice', password: 'correct' };
const authorization = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;

/** Lets a test see the budget that the sink's leg reads within. */
class WatchedLog extends MemoryLog {
  pool: BufferPool | null = null;

  override subscribe(options: SubscribeOptions): Promise<TopicSubscription> {
    this.pool = options.pool;
    return super.subscribe(options);
  }
}

/** What changes the settings of a whole node is done to one of our own. */
serverSuite('the Elasticsearch sink, and a server that refuses whole requests', [], () => {
  let own: OwnServer<'elasticsearch'>;
  let server: Elasticsearch;
  let index: string;

  beforeAll(async () => {
    own = await ownServer('elasticsearch', { 'http.max_content_length': '1mb', 'testes.authorization': authorization });
    server = new Elasticsearch(own.where.url, authorization);
  }, 120_000);

  afterAll(() => own.down());

  beforeEach(() => {
    index = uniqueName('docs');
  });

  async function started(options: Record<string, Json> = {}): Promise<SinkHarness> {
    const harness = sinkHarness({ endpoints: [own.where.url], index, auth: { basic: credentials }, ...options });
    await harness.start();
    return harness;
  }

  async function attempt(options: Record<string, Json> = {}): Promise<WriteResult> {
    const harness = await started(options);
    harness.append(0, ['{"n":1}']);
    const result = (await harness.write())!;
    await harness.stop();
    return result;
  }

  /** While the cluster has this setting. */
  async function withSetting(setting: string, value: Json, work: () => Promise<void>): Promise<void> {
    await server.ask('PUT', '/_cluster/settings', { persistent: { [setting]: value } });
    try {
      await work();
    } finally {
      await server.ask('PUT', '/_cluster/settings', { persistent: { [setting]: null } });
    }
  }

  const refusal = (disposition: string, message: RegExp): object => ({
    batch: { disposition, error: { message: expect.stringMatching(message) as string } },
  });

  test('401 needs an operator; with the right credentials it goes on', async () => {
    const wrong = { basic: { ...credentials, password: 'wrong' } };
    for (const auth of [wrong, { api_key: 'bm9uZQ==' }]) {
      expect(await attempt({ auth })).toMatchObject(refusal('block', /HTTP 401 security_exception: .*; check `auth`$/));
    }
    expect(await attempt()).toEqual({ failures: [] });
  });

  test('413: the batch is halved until its parts fit, compressed or not', async () => {
    const values = Array.from({ length: 16 }, (_, n) => JSON.stringify({ n, text: 'x'.repeat(100_000) }));
    for (const gzip of [false, true]) {
      const harness = await started({ gzip, index: `${index}-${gzip}` });
      harness.append(0, values);
      expect(await harness.write()).toMatchObject(refusal('split', /HTTP 413, larger than http\.max_content_length/));
      for (const half of [0, 8]) expect(await harness.write({ maxRecords: half + 8 })).toEqual({ failures: [] });
      expect(await server.count(`${index}-${gzip}`)).toBe(16);
      await harness.stop();
    }
  });

  test('429 for the request is tried again', async () => {
    await withSetting('network.breaker.inflight_requests.limit', '1kb', async () => {
      const harness = await started();
      harness.append(0, [JSON.stringify({ text: 'x'.repeat(5000) })]);
      expect(await harness.write()).toMatchObject(refusal('retry', /HTTP 429 circuit_breaking_exception/));
      await harness.stop();
    });
    expect(await attempt()).toEqual({ failures: [] });
  });

  test('a cluster that is read-only, and one that makes no indexes, need an operator', async () => {
    await withSetting('cluster.blocks.read_only', true, async () => {
      expect(await attempt()).toMatchObject(refusal('block', /HTTP 403 cluster_block_exception: .*; lift the block$/));
    });
    await withSetting('action.auto_create_index', 'false', async () => {
      expect(await attempt()).toMatchObject({ failures: [{ disposition: 'block', error: { code: 'SINK_BLOCKED' } }] });
    });
    expect(await attempt()).toEqual({ failures: [] });
  });

  test('a server that takes too long: the request is given up, and what it does later is there once', async () => {
    const harness = await started({ request_timeout: '1s' });
    harness.append(0, ['{"n":1}', '{"n":2}']);
    await server.ask('PUT', `/${index}`);
    await server.ask('POST', '/_testes/hold/write');
    try {
      expect(await harness.write()).toMatchObject(refusal('retry', /no answer within 1 s$/));
    } finally {
      await server.ask('DELETE', '/_testes/hold');
    }
    expect(await harness.write()).toEqual({ failures: [] });
    expect(await server.count(index)).toBe(2);
    await harness.stop();
  });

  test('a server that takes too long for a pipeline: one write at a time asks for it, and nothing more is read', async () => {
    const log = new WatchedLog({ topics: { in: 2, dead: 1 } });
    const records = 4000;
    for (let from = 0; from < records; from += 100) {
      const values = Array.from({ length: 100 }, (_, n) => JSON.stringify({ n: from + n, text: 'x'.repeat(1000) }));
      await fill(log, (from / 100) % 2, values);
    }
    const { sink, writes } = watched({ endpoints: [own.where.url], index, auth: { basic: credentials } });
    await server.ask('PUT', `/${index}`);
    await server.ask('POST', '/_testes/hold/write');
    const { pipeline } = startTest({
      log,
      sinks: [sink],
      sink: { batch: { maxRecords: 100, maxBytes: 1_000_000, maxAgeMs: 0 } },
      bufferBytes: 1024 * 1024,
      clock: new FastClock(1),
    });
    const read = (): number => pipeline.status().sinks[0]!.read;
    const release = (): Promise<unknown> => server.ask('DELETE', '/_testes/hold');
    let mostBytes = 0;
    const sampled = (holds: () => boolean) => (): boolean => {
      mostBytes = Math.max(mostBytes, log.pool?.usedBytes ?? 0);
      return holds();
    };
    try {
      await eventually(sampled(() => writes.failed > 0));
      expect(writes.mostAtOnce).toBe(4);
      const readBefore = read();
      expect(readBefore).toBeLessThan(records / 2);
      // Three more, one after the other.
      await eventually(
        sampled(() => writes.failed >= 4 + 3),
        10_000,
      );
      expect(writes.atOnceAfterFailure).toEqual(new Set([1]));
      expect(read()).toBe(readBefore);
      await release();
      await eventually(
        sampled(() => pipeline.status().sinks[0]!.lag === 0),
        10_000,
      );
      expect(mostBytes).toBeGreaterThan(0);
      expect(mostBytes).toBeLessThanOrEqual(log.pool!.budgetBytes);
      expect(await server.count(index)).toBe(records);
      expect(pipeline.status()).toMatchObject({ deadLetters: 0, sinks: [{ records }] });
    } finally {
      await release();
      await pipeline.stop({ deadlineMs: 2000 });
    }
  });

  test('400 for a request of which everything was indexed: the halves are known', async () => {
    const proxy = await Proxy.start(own.where.url);
    const harness = await started({ endpoints: [proxy.url] });
    harness.append(0, ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']);
    const body = '{"error":{"type":"illegal_argument_exception","reason":"Malformed action"},"status":400}';
    proxy.lies.push(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await harness.write()).toMatchObject(refusal('split', /HTTP 400 illegal_argument_exception/));
    expect(await server.count(index)).toBe(4);
    expect(await harness.write({ maxRecords: 2 })).toEqual({ failures: [] });
    expect(await harness.write()).toEqual({ failures: [] });
    expect(harness.status).toBe('0 written, 4 were there already');
    expect(await server.count(index)).toBe(4);
    await harness.stop();
    await proxy.stop();
  });
});

interface Writes {
  failed: number;
  mostAtOnce: number;
  /** How many writes were out whenever one began, from the first failure to the first success after it. */
  readonly atOnceAfterFailure: Set<number>;
}

/** The sink itself, with a count of its writes. */
function watched(options: Record<string, Json>): { readonly sink: SinkDefinition; readonly writes: Writes } {
  const writes: Writes = { failed: 0, mostAtOnce: 0, atOnceAfterFailure: new Set() };
  let inFlight = 0;
  let hasRecovered = false;
  const sink: SinkDefinition = {
    ...sinkOf(() => accepted, { order: sinkDefinition.order }),
    create: async (_options, context) => {
      const real = await sinkDefinition.create(sinkOptions({ request_timeout: '1s', ...options }), context);
      return {
        write: async (batch) => {
          inFlight++;
          writes.mostAtOnce = Math.max(writes.mostAtOnce, inFlight);
          if (writes.failed > 0 && !hasRecovered) writes.atOnceAfterFailure.add(inFlight);
          const result = await real.write(batch);
          inFlight--;
          if ('batch' in result) writes.failed++;
          else hasRecovered = true;
          return result;
        },
        close: () => real.close(),
      };
    },
  };
  return { sink, writes };
}
