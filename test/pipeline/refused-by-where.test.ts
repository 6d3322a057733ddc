import type { CommitRequest } from '../../src/log/topic-log.ts';
import { RecordView } from '../../src/record/index.ts';
import { heapAfterCollection } from './support/heap.ts';
import { fill } from './support/fill.ts';
import { MemoryLog } from './support/memory-log.ts';
import { accepted, eventually, sinkOf, startTest, type Started, type TestPipeline } from './support/pipeline.ts';

const PARTITIONS = 2;
const RECORDS = 50_000;
const MEGABYTE = 1024 * 1024;
const NO_JSON = Array.from({ length: 1000 }, () => '{');

/** Counts the dead letters of each record instead of keeping them; their commits hang until `open`. */
class CountingLog extends MemoryLog {
  readonly letters = Array.from({ length: PARTITIONS }, () => new Uint8Array(RECORDS));
  readonly #open = Promise.withResolvers<undefined>();
  hanging = 0;

  constructor() {
    super({ topics: { in: PARTITIONS, dead: 1 } });
  }

  async pour(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let count = 0; count < RECORDS; count += NO_JSON.length) await fill(this, partition, NO_JSON);
    }
  }

  open(): void {
    this.#open.resolve(undefined);
  }

  override async commit(request: CommitRequest): Promise<void> {
    const dead = request.batches?.filter(({ topic }) => topic === 'dead') ?? [];
    if (dead.length === 0) return super.commit(request);
    this.hanging++;
    await this.#open.promise;
    for (const { bytes } of dead) this.#count(bytes);
  }

  #count(bytes: Buffer): void {
    const view = new RecordView({ decode: (value) => value });
    view.addStored({ topic: 'dead', partition: 0, incarnation: 'AAAAAAAA' }, bytes, 0);
    const number = (index: number, name: string): number =>
      Number(Buffer.from(view.header(index, `__connect.errors.${name}`)!).toString());
    for (let index = 0; index < view.count; index++) {
      this.letters[number(index, 'partition')]![number(index, 'offset')]!++;
    }
  }
}

const statusOf = ({ pipeline }: Started): ReturnType<typeof pipeline.status>['sinks'][number] =>
  pipeline.status().sinks[0]!;

function start(log: MemoryLog, more: Partial<TestPipeline> = {}): Started {
  const deadLetter = { maxRate: null };
  return startTest({ log, sinks: [sinkOf(() => accepted)], sink: { where: 'value.n == 1' }, deadLetter, ...more });
}

/** Resolves when nothing was read for a while. */
async function atRest(started: Started): Promise<void> {
  let read = -1;
  let since = 0;
  await eventually(() => {
    if (statusOf(started).read !== read) since = performance.now();
    read = statusOf(started).read;
    return performance.now() - since > 300;
  }, 20_000);
}

describe('records that the condition refuses', () => {
  const { stackTraceLimit } = Error;
  let log: CountingLog;

  beforeEach(async () => {
    log = new CountingLog();
    await log.pour();
  });

  afterEach(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  test('are not read on while their dead letters hang; then each becomes one', async () => {
    const before = heapAfterCollection();
    const started = start(log);
    await eventually(() => log.hanging === 1);
    await atRest(started);
    expect(heapAfterCollection() - before).toBeLessThan(15 * MEGABYTE);
    expect(statusOf(started).read).toBeLessThan(PARTITIONS * RECORDS);
    // Under Jest the stacks of the causes take longer than all else.
    Error.stackTraceLimit = 0;
    log.open();
    await eventually(() => statusOf(started).deadLettered === PARTITIONS * RECORDS, 40_000);
    expect(log.letters.every((counts) => counts.every((count) => count === 1))).toBe(true);
    await started.pipeline.stop({ deadlineMs: 2000 });
    expect([...log.savedOffsets.get('sink0')!.values()]).toEqual([RECORDS, RECORDS]);
  }, 60_000);

  test('hold up neither a rebalance nor a stop while their dead letters hang', async () => {
    const started = start(log);
    await eventually(() => log.hanging === 1);
    await atRest(started);
    const [subscription] = log.subscriptions;
    await subscription!.revoke([0, 1]);
    expect(statusOf(started)).toMatchObject({ inFlight: 0, returned: statusOf(started).read });
    expect(await started.pipeline.stop({ deadlineMs: 2000 })).toMatchObject({ delivered: 0, deadLettered: 0 });
    const again = start(log);
    await atRest(again);
    const report = await again.pipeline.stop({ deadlineMs: 200 });
    expect(report).toMatchObject({ drained: false, delivered: 0 });
    expect([...log.savedOffsets.get('sink0')!.values()]).toEqual([0, 0]);
    log.open();
  });

  test('stay where they are when there are too many of them, until the leg is resumed', async () => {
    log.open();
    const started = start(log, { deadLetter: {} });
    await eventually(() => statusOf(started).state === 'paused');
    await atRest(started);
    const { deadLettered } = statusOf(started);
    expect(deadLettered).toBeGreaterThanOrEqual(1000);
    expect(deadLettered).toBeLessThan(3000);
    started.pipeline.resume();
    await eventually(() => statusOf(started).deadLettered >= deadLettered + 1000);
    await started.pipeline.stop({ deadlineMs: 2000 });
  });
});
