import { describeError } from '../api/index.ts';
import type { SinkPlan } from '../config/index.ts';
import { Alarm } from './alarm.ts';
import { DeadLetterQueue, type Refused } from './dead-letter-queue.ts';
import type { DeadLetterRate } from './dead-letter-rate.ts';
import { BLOCK_MS, type Delivery } from './delivery.ts';
import { deadLetterOrigin, deadLetterTarget, type LegDependencies } from './leg.ts';
import { isLogLost } from './log-lost.ts';
import { COUNTED } from './metric-names.ts';

interface SinkDeadLettersOptions {
  readonly plan: SinkPlan;
  readonly dependencies: LegDependencies;
  readonly rate: DeadLetterRate;
  readonly signal: AbortSignal;
  readonly delivery: () => Delivery;
}

/** The dead letters of one life of a sink: pauses its delivery when there are too many, or when they cannot be kept. */
export class SinkDeadLetters {
  /** Null for `dead_letter: off`. */
  readonly queue: DeadLetterQueue | null;
  readonly #options: SinkDeadLettersOptions;
  readonly #again: Alarm;
  #trouble: string | null = null;

  constructor(options: SinkDeadLettersOptions) {
    const { plan, dependencies, signal } = options;
    this.#options = options;
    this.#again = new Alarm(dependencies.clock, () => this.queue?.retry());
    const target = deadLetterTarget(dependencies);
    if (target === null) {
      this.queue = null;
      return;
    }
    this.queue = new DeadLetterQueue({
      target,
      origin: deadLetterOrigin(dependencies, plan),
      placeOf: dependencies.replay?.placeOf,
      compression: dependencies.pipeline.topic.compression,
      pool: dependencies.pool,
      clock: dependencies.clock,
      signal,
      commit: (request) => dependencies.topicLog.commit(request),
      onDurable: (refused, finished) => {
        this.#durable(refused, finished);
      },
      onFailed: (error) => {
        this.#failed(error);
      },
    });
  }

  retry(): void {
    this.#options.rate.reset();
    this.queue?.retry();
  }

  close(): void {
    this.#again.stop();
    this.queue?.close();
  }

  #durable({ errors, stage }: Refused, finished: number): void {
    const { dependencies, rate, delivery } = this.#options;
    const topic = dependencies.pipeline.deadLetter.topic;
    // None: the assignment ended first, and whoever reads the records next moves them again.
    if (finished > 0) {
      dependencies.metrics.count(COUNTED.deadLetters, finished);
      dependencies.log.error(
        { records: finished, topic, code: errors[0]!.code, stage, cause: describeError(errors[0]) },
        'records moved to the dead-letter topic',
      );
    }
    if (this.#trouble !== null) delivery().unpause(this.#trouble);
    this.#trouble = null;
    rate.count(finished, finished);
    const tooMany = rate.exceeded();
    if (tooMany !== null) delivery().pause(tooMany);
    else delivery().pump();
  }

  #failed(error: unknown): void {
    const { dependencies, delivery, signal } = this.#options;
    if (signal.aborted) return;
    if (isLogLost(error)) dependencies.onLogLost(error);
    this.#trouble = `dead letters cannot be kept: ${describeError(error)}`;
    delivery().pause(this.#trouble);
    this.#again.set(dependencies.clock.monotonic() + BLOCK_MS);
  }
}
