import { readClusterState, shardOf, type Shard } from '../../../connectors/solr/cluster-state.ts';
import { compositeHash } from '../../../connectors/solr/composite-hash.ts';
import type { Json, RecordBatch } from '../../../src/api/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { recordBatch } from '../../../src/testing/batches.ts';
import type { SinkHarness } from '../../../src/testing/index.ts';
import { ownServer, serverSuite, uniqueName, type OwnServer } from '../../support/servers.ts';
import { RealSolr } from './support/solr.ts';
import { sinkHarness } from './support/sink.ts';

const partition = { topic: 'orders', partition: 0, incarnation: 'AAAAAAAA' };
const BATCH = 50;

serverSuite('solr: a cloud of 2 shards × 2 replicas', [], () => {
  let server: OwnServer<'solr-cloud'>;
  let solr: RealSolr;
  let collection: string;
  let harness: SinkHarness | null = null;

  beforeAll(async () => {
    server = await ownServer('solr-cloud', { 'sluice.zkClientTimeout': 4000 });
    solr = new RealSolr(server.where.url);
  }, 600_000);
  afterAll(() => server.down());

  beforeEach(async () => {
    collection = uniqueName('orders');
    await solr.createCollection(collection);
  }, 60_000);
  afterEach(async () => {
    await harness?.stop();
    harness = null;
  });

  const nodes = (): string[] => server.where.urls.split(',');

  async function shards(name = collection): Promise<readonly Shard[]> {
    const path = `/admin/collections?action=CLUSTERSTATUS&collection=${name}`;
    const answer = Buffer.from(JSON.stringify(await solr.ask(path)));
    return readClusterState(answer, name, 'asking').shards!;
  }

  async function sinkOf(options: Record<string, Json> = {}): Promise<SinkHarness> {
    harness = sinkHarness({ endpoints: nodes(), collection, ...options }, { clock: realClock });
    await harness.start();
    return harness;
  }

  const batchAt = (base: number): RecordBatch =>
    recordBatch([
      { partition, base, records: Array.from({ length: BATCH }, (_, n) => ({ value: `{"amount":${base + n}}` })) },
    ]);
  const idsAt = (base: number): string[] => Array.from({ length: BATCH }, (_, n) => `orders+AAAAAAAA+0+${base + n}`);

  /** Attempts until all of a batch is acknowledged, as the engine makes them. Says how many it took. */
  async function untilTaken({ sink }: SinkHarness, base: number): Promise<number> {
    for (let attempts = 1; ; attempts++) {
      const result = await sink.write(batchAt(base));
      if (!('batch' in result) && result.failures.length === 0) return attempts;
      const failures = 'batch' in result ? [result.batch] : result.failures;
      for (const { disposition } of failures) expect(disposition).toBe('retry');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Batches one after the other while something happens, and a few behind. */
  async function writeWhile(
    sink: SinkHarness,
    happens: () => Promise<void>,
  ): Promise<{ batches: number; again: number }> {
    const state = { isOver: false };
    const over = happens().finally(() => {
      state.isOver = true;
    });
    let batches = 0;
    let again = 0;
    for (let behind = 0; behind < 5; batches++) {
      again += (await untilTaken(sink, batches * BATCH)) - 1;
      if (state.isOver) behind++;
    }
    await over;
    return { batches, again };
  }

  async function expectAll(batches: number): Promise<void> {
    const ids = Array.from({ length: batches }, (_, n) => idsAt(n * BATCH)).flat();
    const leaders = await shards();
    const found = await Promise.all(leaders.map(({ leader }) => solr.idsOfCore(`${leader!.nodeUrl}/${leader!.core}`)));
    expect(found.flat().sort()).toEqual(ids.sort());
  }

  async function allActive(): Promise<void> {
    await until(async () => {
      const state = (await solr.ask(`/admin/collections?action=CLUSTERSTATUS&collection=${collection}`)) as Status;
      const replicas = Object.values(state.cluster.collections[collection]!.shards).flatMap((shard) =>
        Object.values(shard.replicas),
      );
      return state.cluster.live_nodes.length === 2 && replicas.every((replica) => replica.state === 'active');
    });
  }

  test('documents lie in the shard that their id says, and nowhere else', async () => {
    const sink = await sinkOf({ min_replicas: 2 });
    expect((await writeWhile(sink, () => Promise.resolve())).again).toBe(0);
    const all = await shards();
    for (const [index, { leader }] of all.entries()) {
      const ids = await solr.idsOfCore(`${leader!.nodeUrl}/${leader!.core}`);
      expect(ids.length).toBeGreaterThan(0);
      for (const id of ids) expect(shardOf(all, compositeHash(Buffer.from(id), 0, Buffer.byteLength(id)))).toBe(index);
    }
    await expectAll(5);
  }, 120_000);

  test('a document that is refused beside others, by shard', async () => {
    const sink = await sinkOf();
    const values = Array.from({ length: 40 }, (_, n) => ({ value: n % 10 === 3 ? '{"nosuch":1}' : `{"amount":${n}}` }));
    const result = await sink.sink.write(recordBatch([{ partition, base: 0, records: values }]));
    const failures = 'batch' in result ? [] : result.failures.toSorted((one, other) => one.index - other.index);
    expect(failures.map(({ index, disposition }) => [index, disposition])).toEqual(
      [3, 13, 23, 33].map((index) => [index, 'reject']),
    );
    expect(await solr.count(collection)).toBe(36);
  }, 60_000);

  test('a leader that is killed under load: nothing that was acknowledged is lost', async () => {
    const sink = await sinkOf({ request_timeout: '5s' });
    await untilTaken(sink, 0);
    const victim = (await shards())[0]!.leader!.nodeUrl;
    const process = `node-${nodes().indexOf(victim) + 1}`;
    const { batches, again } = await writeWhile(sink, async () => {
      await server.kill(process);
      solr = new RealSolr(nodes().find((url) => url !== victim)!);
      await until(async () => (await shards()).every(({ leader }) => leader !== null && leader.nodeUrl !== victim));
    });
    expect(again).toBeGreaterThan(0);
    await expectAll(batches);
    await server.startAgain(process);
    await allActive();
    await expectAll(batches);
  }, 240_000);

  test.each([
    ['', {}],
    [', behind a node that passes documents on and would say 200', { routing: 'endpoints', request_timeout: '19s' }],
  ])(
    'a leader that stands still%s: what it did not take is not acknowledged',
    async (_what, options) => {
      const victim = (await shards())[0]!.leader!.nodeUrl;
      const endpoints = 'routing' in options ? nodes().filter((url) => url !== victim) : nodes();
      const sink = await sinkOf({ request_timeout: '2s', endpoints, ...options });
      await untilTaken(sink, 0);
      const process = `node-${nodes().indexOf(victim) + 1}`;
      solr = new RealSolr(nodes().find((url) => url !== victim)!);
      const { batches, again } = await writeWhile(sink, async () => {
        await server.pause(process);
        await new Promise((resolve) => setTimeout(resolve, 25_000));
        await server.resume(process);
      });
      expect(again).toBeGreaterThan(0);
      await allActive();
      await expectAll(batches);
    },
    240_000,
  );

  test('a read-only collection: it waits for an operator', async () => {
    const readOnly = (is: string): Promise<unknown> =>
      solr.ask(`/admin/collections?action=MODIFYCOLLECTION&collection=${collection}&readOnly=${is}`);
    const sink = await sinkOf();
    await readOnly('true');
    const result = await sink.sink.write(batchAt(0));
    const failures = 'batch' in result ? [result.batch] : result.failures;
    expect(failures.length).toBeGreaterThan(0);
    for (const { disposition, error } of failures) {
      expect(error.message).toMatch(/read-only/);
      expect(disposition).toBe('block');
    }
    await readOnly('');
    await untilTaken(sink, 0);
    await expectAll(1);
  }, 120_000);

  test('an alias that is turned to another collection', async () => {
    const other = uniqueName('others');
    await solr.createCollection(other);
    const alias = uniqueName('current');
    const turn = (to: string): Promise<unknown> =>
      solr.ask(`/admin/collections?action=CREATEALIAS&name=${alias}&collections=${to}`);
    await turn(collection);
    const sink = await sinkOf({ collection: alias });
    await untilTaken(sink, 0);
    await turn(other);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await untilTaken(sink, BATCH);
    expect([await solr.count(collection), await solr.count(other)]).toEqual([BATCH, BATCH]);
  }, 120_000);
});

interface Status {
  readonly cluster: {
    readonly live_nodes: readonly string[];
    readonly collections: Readonly<
      Record<
        string,
        {
          readonly shards: Readonly<
            Record<string, { readonly replicas: Readonly<Record<string, { readonly state: string }>> }>
          >;
        }
      >
    >;
  };
}

async function until(holds: () => Promise<boolean>, withinMs = 90_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
