import { describeError, SluiceError, type Failure, type RecordFailure, type Sink } from '../api/index.ts';
import type { SinkPlan } from '../config/index.ts';
import type { BufferPool } from '../record/index.ts';
import { crashPoint } from '../telemetry/index.ts';
import { Alarm } from './alarm.ts';
import type { Batcher } from './batcher.ts';
import { bisect } from './bisect.ts';
import { Circuit } from './circuit.ts';
import type { Stage } from './dead-letter.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import type { LegDependencies } from './leg.ts';
import { COUNTED } from './metric-names.ts';
import { Notice } from './notice.ts';
import type { PartitionFeed } from './partition-feed.ts';
import { retryDelay } from './retry.ts';
import { RetryQueue } from './retry-queue.ts';
import { isPushedBack, judgeResult, judgeThrown, type Verdict } from './verdict.ts';
import type { WriteBatch } from './write-batch.ts';
import { WriteLimit } from './write-limit.ts';

/** A leg that needs an operator tries again by itself so often. */
export const BLOCK_MS = 30_000;
/** For what the sink cannot explain: after so many attempts it is the records' fault, or an operator's business. */
const PATIENCE = 3;
/** Writes that may be out together where their order does not matter. */
const MAX_UNORDERED_WRITES = 4;

export interface DeliveryOptions {
  readonly plan: SinkPlan;
  readonly sink: Sink;
  readonly order: 'none' | 'partition';
  readonly feeds: ReadonlyMap<number, PartitionFeed>;
  readonly batcher: Batcher;
  readonly pool: BufferPool;
  /** Null for `dead_letter: off`. */
  readonly deadLetters: DeadLetterQueue | null;
  readonly dependencies: Pick<LegDependencies, 'clock' | 'log' | 'metrics' | 'random'>;
  readonly onDelivered: (records: number) => void;
  /** The run cannot go on: what was not flushed has to be read again. */
  readonly onFailed: (error: unknown) => void;
  readonly onChange: () => void;
  /** Brings more into the feeds, if what was read still has to be asked about and `mayRefuse`. */
  readonly onPump: () => void;
}

export interface Trouble {
  readonly state: 'degraded' | 'paused';
  readonly reason: string;
}

/**
 * Takes records from the feeds to the sink and applies the failure policy to what comes back. Everything happens in `pump`: it is called after
 * every change and starts whatever may be started.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #circuit = new Circuit();
  readonly #again: RetryQueue;
  readonly #alarm: Alarm;
  readonly #notice = new Notice();
  readonly #refusedForGood: { batch: WriteBatch; errors: readonly SluiceError[]; stage: Stage }[] = [];
  #inFlight = 0;
  readonly #limit = new WriteLimit(MAX_UNORDERED_WRITES);
  #isFlushing = false;
  #isHurried = false;
  #isOver = false;
  /** Why nothing is written until somebody says `resume`. */
  #hold: string | null = null;
  #circuitTrouble: Trouble | null = null;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#again = new RetryQueue({ keepsOrder: options.order === 'partition' });
    this.#alarm = new Alarm(options.dependencies.clock, () => {
      this.pump();
    });
  }

  get trouble(): Trouble | null {
    if (this.#hold !== null) return { state: 'paused', reason: this.#hold };
    const reason = this.#again.first?.reason ?? null;
    return this.#circuitTrouble ?? (reason === null ? null : { state: 'degraded', reason });
  }

  /** Writes and flushes are out. */
  get isBusy(): boolean {
    return this.#inFlight > 0 || this.#isFlushing;
  }

  /** Waiting would not help: the sink is away, or an operator is asked for. */
  get isStuck(): boolean {
    return !this.isBusy && (this.#hold !== null || !this.#circuit.closed);
  }

  /** False while the refused records that wait for their dead letters are enough, or the leg is paused. Whatever may refuse more waits for it. */
  get mayRefuse(): boolean {
    return this.#hold === null && this.#options.deadLetters?.isFull !== true;
  }

  pump(): void {
    if (this.#isOver) return;
    // Taken before: what becomes due while writes are started gets its alarm.
    const since = this.#options.dependencies.clock.monotonic();
    this.#options.onPump();
    this.#startFlush();
    if (!this.#isFlushing && this.#hold === null) this.#startWrites();
    this.#setAlarm(since);
    this.#options.onChange();
    this.#notice.notify();
  }

  /** From now on no batch waits to get older. */
  hurry(): void {
    this.#isHurried = true;
    this.pump();
  }

  pause(reason: string): void {
    if (this.#hold === reason) return;
    this.#hold = reason;
    this.#options.dependencies.log.error({ reason }, 'sink paused');
    this.pump();
  }

  /** Ends a pause with this reason only. */
  unpause(reason: string): void {
    if (this.#hold !== reason) return;
    this.#hold = null;
    this.pump();
  }

  resume(): void {
    this.#hold = null;
    this.#circuit.reset();
    this.#circuitTrouble = null;
    for (const { batch, errors, stage } of this.#refusedForGood.splice(0)) this.refuse(batch, errors, stage);
    this.pump();
  }

  /** All records of `batch` are refused for good. */
  refuse(batch: WriteBatch, errors: readonly SluiceError[], stage: Stage): void {
    const { deadLetters, dependencies, plan } = this.#options;
    if (deadLetters !== null) {
      deadLetters.add({ batch, errors, stage, at: dependencies.clock.now() });
      return;
    }
    // What was refused after a write is written again, in case the operator has mended the sink; a condition would only say the same again.
    if (stage === 'write') this.#tryAgain([batch], { delayMs: 0, reason: null });
    else this.#refusedForGood.push({ batch, errors, stage });
    batch.attempts = 0;
    const cause = describeError(errors[0]);
    this.pause(`sink "${plan.name}" refused a record and dead letters are off: ${cause}`);
  }

  forgetClosing(): void {
    this.#again.forgetClosing();
  }

  until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return this.#notice.until(() => this.#isOver || holds(), signal);
  }

  /** Nothing is started any more; what is out changes nothing when it comes back. */
  end(): void {
    this.#isOver = true;
    this.#alarm.stop();
    this.#again.clear();
    for (const { batch } of this.#refusedForGood.splice(0)) batch.release();
    this.#notice.notify();
  }

  #startWrites(): void {
    const limit = this.#options.order === 'partition' ? 1 : this.#limit.value;
    const { clock } = this.#options.dependencies;
    while (this.#inFlight < limit && !this.#isFlushDue() && this.mayRefuse) {
      const now = clock.monotonic();
      if (!this.#circuit.admits(now, this.#inFlight)) return;
      const batch = this.#again.take(now) ?? this.#takeNew(now);
      if (batch === null) return;
      void this.#write(batch);
    }
  }

  #takeNew(now: number): WriteBatch | null {
    const feeds = this.#writableFeeds();
    const { batcher, plan, pool } = this.#options;
    const waiting = batcher.waiting(feeds);
    const isAsFullAsItGets = batcher.isFull(waiting) || pool.usedBytes > pool.budgetBytes * 0.75;
    const isOld = plan.batch.maxAgeMs > 0 ? now - waiting.since >= plan.batch.maxAgeMs : this.#inFlight === 0;
    return isAsFullAsItGets || isOld || this.#isHurried ? batcher.take(feeds) : null;
  }

  #writableFeeds(): PartitionFeed[] {
    const feeds: PartitionFeed[] = [];
    for (const feed of this.#options.feeds.values()) {
      const isNext = this.#options.order === 'none' || (feed.batches === 0 && feed.writing === 0);
      if (feed.queue.length > 0 && isNext && !feed.isClosing && !feed.wantsFlush) feeds.push(feed);
    }
    return feeds;
  }

  async #write(batch: WriteBatch): Promise<void> {
    const { sink, dependencies } = this.#options;
    this.#inFlight++;
    for (const feed of batch.feeds) feed.writing++;
    const epoch = this.#circuit.begin();
    batch.attempts++;
    const begun = { limit: this.#limit.beginning(), ms: dependencies.clock.monotonic() };
    if (batch.firstAt === 0) batch.firstAt = dependencies.clock.now();
    let verdict: Verdict;
    try {
      const written = sink.write(batch.view);
      crashPoint('sink-sent');
      verdict = judgeResult(await written, batch.count);
      crashPoint('sink-acknowledged');
    } catch (thrown) {
      verdict = judgeThrown(thrown);
    }
    this.#inFlight--;
    for (const feed of batch.feeds) feed.writing--;
    const elapsedMs = dependencies.clock.monotonic() - begun.ms;
    this.#limit.ended(begun.limit, { elapsedMs, bytes: batch.view.byteLength, isPushedBack: isPushedBack(verdict) });
    try {
      if (this.#isOver) batch.release();
      else this.#apply(batch, epoch, verdict);
      this.pump();
    } catch (error) {
      this.#options.onFailed(error);
    }
    this.#notice.notify();
  }

  #apply(batch: WriteBatch, epoch: number, verdict: Verdict): void {
    if (verdict.type === 'bug') this.#applyBug(batch, epoch, verdict.error);
    else if (verdict.type === 'batch') this.#applyFailure(batch, epoch, verdict.failure);
    else {
      this.#answered(epoch);
      this.#settleRecords(batch, verdict.failures);
    }
  }

  #applyFailure(batch: WriteBatch, epoch: number, failure: Failure): void {
    const { disposition, error, retryAfterMs } = failure;
    const reason = describeError(error);
    if (disposition === 'retry') this.#openCircuit(epoch, { reason, retryAfterMs });
    else if (disposition === 'block') this.#block(epoch, reason);
    else this.#answered(epoch);
    if (disposition === 'retry' || disposition === 'block') this.#tryAgain([batch], { delayMs: 0, reason: null });
    else if (batch.count === 1) this.refuse(batch, [error], 'write');
    else this.#tryAgain(bisect(batch), { delayMs: 0, reason: null });
  }

  #applyBug(batch: WriteBatch, epoch: number, error: SluiceError): void {
    if (!batch.isBisected && batch.attempts < PATIENCE) {
      this.#openCircuit(epoch, { reason: describeError(error) });
      this.#tryAgain([batch], { delayMs: 0, reason: null });
      return;
    }
    // A throw says nothing about the sink, only about these records.
    this.#circuit.release(epoch);
    if (batch.count === 1) this.refuse(batch, [error], 'write');
    else {
      batch.isBisected = true;
      this.#tryAgain(bisect(batch), { delayMs: 0, reason: null });
    }
  }

  /** What the failures do not name was accepted. */
  #settleRecords(batch: WriteBatch, failures: readonly RecordFailure[]): void {
    const { dependencies, onDelivered } = this.#options;
    let [delivered, dropped] = [0, 0];
    let next = 0;
    for (const { index } of failures) {
      if (index > next) delivered += batch.finish(next, index, 'delivered');
      next = index + 1;
    }
    if (next < batch.count) delivered += batch.finish(next, batch.count, 'delivered');
    for (const { index, disposition } of failures)
      if (disposition === 'skip') dropped += batch.finish(index, index + 1, 'dropped');
    dependencies.metrics.count(COUNTED.dropped, dropped);
    dependencies.metrics.count(COUNTED.delivered, delivered);
    dependencies.metrics.count(COUNTED.deliveredBytes, Math.round((batch.view.byteLength * delivered) / batch.count));
    onDelivered(delivered + dropped);
    if (failures.length > 0) this.#settleFailures(batch, failures);
    batch.release();
  }

  #settleFailures(batch: WriteBatch, failures: readonly RecordFailure[]): void {
    const open = failures.filter(({ index, disposition }) => disposition !== 'skip' && !batch.feedOf(index).isClosing);
    const isRefusal = ({ disposition }: Failure): boolean =>
      disposition === 'reject' || (disposition === 'split' && batch.count === 1);
    const refused = open.filter(isRefusal);
    const again = open.filter((failure) => !isRefusal(failure));
    const refusedBatch = batch.select(refused.map(({ index }) => index));
    const againBatch = batch.select(again.map(({ index }) => index));
    if (againBatch !== null) this.#retryRecords(againBatch, again);
    if (refusedBatch !== null)
      this.refuse(
        refusedBatch,
        refused.map(({ error }) => error),
        'write',
      );
  }

  #retryRecords(batch: WriteBatch, failures: readonly RecordFailure[]): void {
    const { plan, dependencies } = this.#options;
    const { random } = dependencies;
    const reason = describeError(failures[0]!.error);
    // A refusal that the sink itself does not call retryable is one that it does not know: it may pass, but is never dropped.
    const isUnknown = ({ disposition, error }: Failure): boolean => disposition === 'retry' && !error.retryable;
    const needsOperator = failures.find(
      (failure) => failure.disposition === 'block' || (isUnknown(failure) && batch.attempts >= PATIENCE),
    );
    if (needsOperator !== undefined) this.#block(this.#circuit.begin(), describeError(needsOperator.error));
    const retryAfterMs = Math.max(...failures.map((failure) => failure.retryAfterMs ?? 0));
    const isOnlySplit = failures.every(({ disposition }) => disposition === 'split');
    const delayMs = isOnlySplit ? 0 : retryDelay(batch.attempts, { ...plan.retry, random, retryAfterMs });
    const parts = failures.some(({ disposition }) => disposition === 'split') ? bisect(batch) : [batch];
    this.#tryAgain(parts, { delayMs, reason: isOnlySplit ? null : reason });
  }

  #tryAgain(batches: readonly WriteBatch[], options: { delayMs: number; reason: string | null }): void {
    const { clock, metrics } = this.#options.dependencies;
    for (const batch of batches) {
      batch.notBefore = clock.monotonic() + options.delayMs;
      batch.reason = options.reason;
    }
    metrics.count(COUNTED.retries, batches.length);
    this.#again.putBack(batches);
    this.#again.forgetClosing();
  }

  #answered(epoch: number): void {
    if (!this.#circuit.succeed(epoch)) return;
    this.#circuitTrouble = null;
    this.#options.dependencies.log.info({}, 'sink answers again');
  }

  #openCircuit(epoch: number, { reason, retryAfterMs }: { reason: string; retryAfterMs?: number | undefined }): void {
    const { plan, dependencies } = this.#options;
    const { clock, random, log } = dependencies;
    let delayMs = 0;
    this.#circuit.fail(epoch, (failures) => {
      delayMs = retryDelay(failures, { ...plan.retry, random, retryAfterMs });
      return clock.monotonic() + delayMs;
    });
    this.#circuitTrouble = { state: 'degraded', reason };
    log.warn({ attempt: this.#circuit.failures, delayMs, cause: reason }, 'sink unavailable, retrying');
  }

  #block(epoch: number, reason: string): void {
    const { clock, log } = this.#options.dependencies;
    this.#circuit.fail(epoch, () => clock.monotonic() + BLOCK_MS);
    this.#circuitTrouble = { state: 'paused', reason };
    log.error({ cause: reason }, 'sink needs an operator; it is tried again every 30 s');
  }

  /** A feed waits for its flush, and nothing of it is out any more: no write may begin beside it. */
  #isFlushDue(): boolean {
    for (const feed of this.#options.feeds.values()) if (this.#mayFlush(feed)) return true;
    return false;
  }

  // Above a gap a flush would publish records that are read again after a crash.
  #mayFlush({ wantsFlush, writing, watermark }: PartitionFeed): boolean {
    return wantsFlush && writing === 0 && watermark.even;
  }

  #startFlush(): void {
    if (this.isBusy) return;
    const due = [...this.#options.feeds.values()].filter((feed) => this.#mayFlush(feed));
    if (due.length > 0) void this.#flush(due);
  }

  async #flush(feeds: readonly PartitionFeed[]): Promise<void> {
    this.#isFlushing = true;
    const targets = feeds.map((feed) => ({ ...feed.partition, next: feed.watermark.settled }));
    for (const feed of feeds) feed.wantsFlush = false;
    try {
      await this.#options.sink.flush?.(targets);
      crashPoint('sink-flushed');
      for (const [at, { next }] of targets.entries()) feeds[at]!.watermark.confirm(next);
    } catch (error) {
      if (!this.#isOver) this.#options.onFailed(error);
    }
    this.#isFlushing = false;
    this.pump();
    this.#notice.notify();
  }

  #setAlarm(since: number): void {
    const { plan, batcher } = this.#options;
    const { maxAgeMs } = plan.batch;
    const oldest = maxAgeMs > 0 ? batcher.waiting(this.#writableFeeds()).since + maxAgeMs : Infinity;
    const times = [this.#circuit.retryAt ?? Infinity, this.#again.nextAt(since), oldest].filter((at) => at > since);
    const next = Math.min(...times);
    this.#alarm.set(this.#hold !== null || next === Infinity ? null : next);
  }
}
