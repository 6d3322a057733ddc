import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError, type RecordBatch, type WriteResult } from '../../src/api/index.ts';
import { FastClock } from './support/clock.ts';
import { fill } from './support/fill.ts';
import { MemoryLog } from './support/memory-log.ts';
import { accepted, refusal, sinkOf, startTest, type Started } from './support/pipeline.ts';

/** What a write does; numbers pick the records. */
const behaviour = fc.record({
  kind: fc.constantFrom('accept', 'accept', 'retry', 'throw', 'bug', 'split', 'some_retry', 'some_reject', 'mixed'),
  seed: fc.nat({ max: 1000 }),
  delayMs: fc.nat({ max: 3 }),
});
type Behaviour = typeof behaviour extends fc.Arbitrary<infer Value> ? Value : never;

const scenario = fc.record({
  partitions: fc.integer({ min: 1, max: 3 }),
  batches: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 12 }),
  order: fc.constantFrom<'none' | 'partition'>('none', 'partition'),
  maxRecords: fc.integer({ min: 1, max: 60 }),
  hasFlush: fc.boolean(),
  where: fc.boolean(),
  behaviours: fc.array(behaviour, { maxLength: 40 }),
  events: fc.array(fc.constantFrom('revoke', 'restart', 'wait'), { maxLength: 5 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

describe('the sink runner', () => {
  test('delivers every record at least once, in order if asked, and saves no offset above an unfinished one', async () => {
    await fc.assert(fc.asyncProperty(scenario, check), { numRuns: 120, endOnFailure: true });
  }, 60_000);
});

async function check(scenario: Scenario): Promise<void> {
  const world = new World(scenario);
  const total = scenario.batches.reduce((sum, count) => sum + count, 0);
  let next = 0;
  const pour = async (): Promise<void> => {
    const count = scenario.batches[next];
    if (count !== undefined) await world.pour(next++ % scenario.partitions, count);
  };
  await pour();
  let started = world.start();
  for (const event of scenario.events) {
    await pour();
    await sleep(3);
    world.checkBooks(started);
    if (event === 'restart') {
      await started.pipeline.stop({ deadlineMs: 20 });
      world.checkBooks(started);
      world.lives++;
      started = world.start();
    } else if (event === 'revoke') await world.handOver();
  }
  while (next < scenario.batches.length) await pour();
  await started.pipeline.stop({ deadlineMs: 20 });
  world.lives++;
  started = world.start(true);
  expect(await started.pipeline.finished).toMatchObject({ outcome: 'drained', inFlight: 0 });
  expect(world.finished).toBe(total);
  world.checkBooks(started);
  expect(world.faults).toEqual([]);
  for (let partition = 0; partition < scenario.partitions; partition++) {
    expect(world.log.savedOffsets.get('sink0')?.get(partition)).toBe(world.log.end('in', partition));
  }
}

/** The topic, a sink that misbehaves as the scenario says, and what has to be true of them. */
class World {
  readonly log: MemoryLog;
  readonly faults: string[] = [];
  lives = 0;
  readonly #scenario: Scenario;
  readonly #delivered = new Set<string>();
  readonly #durable = new Set<string>();
  readonly #lastOf = new Map<string, number>();
  #writes = 0;
  #inWrite = new Map<number, number>();
  #isFlushing = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const topics = { in: scenario.partitions, dead: 2 };
    this.log = new MemoryLog({
      topics,
      onOffset: (partition, next) => {
        this.#checkOffset(partition, next);
      },
    });
  }

  get finished(): number {
    const done = new Set([...this.#delivered, ...this.#dead()]);
    return done.size + this.#droppedCount();
  }

  async pour(partition: number, count: number): Promise<void> {
    const from = this.log.end('in', partition);
    const value = (offset: number): string => JSON.stringify({ p: partition, o: offset, keep: offset % 3 !== 0 });
    await fill(
      this.log,
      partition,
      Array.from({ length: count }, (_, index) => value(from + index)),
    );
  }

  start(once = false): Started {
    const { order, maxRecords, hasFlush, where } = this.#scenario;
    const life = this.lives;
    this.#inWrite = new Map<number, number>();
    this.#isFlushing = false;
    const sink = sinkOf((batch) => this.#write(batch, life), {
      order,
      more: () => (hasFlush ? { flush: (targets) => this.#flush(targets) } : {}),
    });
    return startTest({
      log: this.log,
      sinks: [sink],
      sink: { batch: { maxRecords, maxBytes: 1e6, maxAgeMs: 0 }, where: where ? 'value.keep == true' : null },
      deadLetter: { maxRate: null },
      once,
      bufferBytes: 512 * 1024,
      clock: new FastClock(20),
    });
  }

  /** Takes a partition away and gives it back, as a rebalance would. */
  async handOver(): Promise<void> {
    const subscription = this.log.subscriptions.at(-1)!;
    const partition = this.lives % this.#scenario.partitions;
    await subscription.revoke([partition]);
    this.lives++;
    subscription.assign([partition]);
  }

  checkBooks({ pipeline }: Started): void {
    const { read, records, deadLettered, dropped, inFlight, returned, lag } = pipeline.status().sinks[0]!;
    expect(read).toBe(records + deadLettered + dropped + inFlight + returned);
    expect(lag).toBeGreaterThanOrEqual(0);
  }

  async #write(batch: RecordBatch, life: number): Promise<WriteResult> {
    const does = this.#scenario.behaviours[this.#writes++] ?? { kind: 'accept', seed: 0, delayMs: 0 };
    const partitions = batch.runs.map(({ partition }) => partition);
    // Writes of a life that was killed are not those of the next one.
    const inWrite = this.#inWrite;
    if (this.#isFlushing) this.faults.push('a write beside a flush');
    for (const partition of partitions) {
      const others = inWrite.get(partition) ?? 0;
      if (others > 0 && this.#scenario.order === 'partition') this.faults.push('two writes of a partition');
      inWrite.set(partition, others + 1);
    }
    await sleep(does.delayMs);
    for (const partition of partitions) inWrite.set(partition, inWrite.get(partition)! - 1);
    return this.#finish(batch, does, life);
  }

  #finish(batch: RecordBatch, { kind, seed }: Behaviour, life: number): WriteResult {
    const unavailable = new SluiceError('SINK_UNAVAILABLE', 'writing: HTTP 503', { retryable: true });
    if (kind === 'bug') throw new TypeError('a bug');
    if (kind === 'throw') throw unavailable;
    if (kind === 'retry') return { batch: { disposition: 'retry', error: unavailable } };
    if (kind === 'split') return { batch: { disposition: 'split', error: unavailable } };
    const failures = [];
    for (let index = 0; index < batch.count; index++) {
      const value = JSON.parse(Buffer.from(batch.value(index)!).toString()) as { p: number; o: number; keep: boolean };
      const run = batch.runs.find(({ first, count }) => index >= first && index < first + count)!;
      if (value.p !== run.partition || value.o !== batch.offset(index)) this.faults.push('bytes of another record');
      if (this.#scenario.where && !value.keep) this.faults.push('a record that `where` leaves out');
      const isHit = kind !== 'accept' && (index * 7 + seed) % 5 === 0;
      const disposition = kind === 'some_reject' || (kind === 'mixed' && index % 2 === 0) ? 'reject' : 'retry';
      if (isHit) failures.push({ index, disposition, error: refusal(true) } as const);
      else this.#accept(value, life);
    }
    return failures.length === 0 ? accepted : { failures };
  }

  #accept({ p, o }: { p: number; o: number }, life: number): void {
    const { order, hasFlush, behaviours } = this.#scenario;
    this.#delivered.add(`${p}:${o}`);
    if (!hasFlush) this.#durable.add(`${p}:${o}`);
    // Single records that are refused for now are overtaken by those that the sink took beside them.
    const keepsOrder = order === 'partition' && behaviours.every((one) => !['some_retry', 'mixed'].includes(one.kind));
    const before = this.#lastOf.get(`${life}:${p}`) ?? -1;
    if (keepsOrder && this.lives === life && o <= before) {
      this.faults.push(`${p}:${o} after ${p}:${before}`);
    }
    this.#lastOf.set(`${life}:${p}`, o);
  }

  async #flush(targets: readonly { partition: number; next: number }[]): Promise<void> {
    if ([...this.#inWrite.values()].some((writes) => writes > 0)) this.faults.push('a flush beside a write');
    this.#isFlushing = true;
    await sleep(1);
    this.#isFlushing = false;
    for (const { partition, next } of targets) {
      for (const id of this.#delivered) {
        const [p, o] = id.split(':').map(Number);
        if (p === partition && o! < next) this.#durable.add(id);
      }
    }
  }

  #checkOffset(partition: number, next: number): void {
    const dead = this.#dead();
    for (let offset = 0; offset < next; offset++) {
      const id = `${partition}:${offset}`;
      const isDropped = this.#scenario.where && offset % 3 === 0;
      if (!this.#durable.has(id) && !dead.has(id) && !isDropped) this.faults.push(`offset ${next} saved without ${id}`);
    }
  }

  #dead(): Set<string> {
    const letters = this.log.readAll('dead').map(({ headers }) => headers);
    return new Set(letters.map((one) => `${one['__connect.errors.partition']}:${one['__connect.errors.offset']}`));
  }

  #droppedCount(): number {
    if (!this.#scenario.where) return 0;
    let count = 0;
    for (let partition = 0; partition < this.#scenario.partitions; partition++) {
      count += Math.ceil(this.log.end('in', partition) / 3);
    }
    return count;
  }
}
