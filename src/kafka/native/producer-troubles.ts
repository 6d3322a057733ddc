import type { Clock } from '../../api/index.ts';
import type { Wait } from '../common/waiting.ts';
import type { ProducerPartition } from './producer-partition.ts';

/** How long something may not work before it is said. */
const SAID_AFTER_MS = 1000;

export interface Trouble {
  readonly sinceMs: number;
  readonly reason: string;
  readonly failures: number;
  /** Since when its topic has been said not to exist; null: it exists. */
  readonly unknownSinceMs: number | null;
}

interface Waiting extends Trouble {
  readonly wait: Wait;
}

/** Which partitions of a producer do not go on, since when, and why. */
export class ProducerTroubles {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #beginWait: () => Wait;
  /** The oldest first. */
  readonly #troubles = new Map<ProducerPartition, Waiting>();

  constructor(clock: Pick<Clock, 'monotonic'>, beginWait: () => Wait) {
    this.#clock = clock;
    this.#beginWait = beginWait;
  }

  /** Failures in a row. */
  failures(partition: ProducerPartition): number {
    return this.#troubles.get(partition)?.failures ?? 0;
  }

  add(partition: ProducerPartition, reason: string, isTopicUnknown = false): Trouble {
    const now = this.#clock.monotonic();
    const before = this.#troubles.get(partition);
    const trouble = {
      sinceMs: before?.sinceMs ?? now,
      reason,
      failures: (before?.failures ?? 0) + 1,
      unknownSinceMs: isTopicUnknown ? (before?.unknownSinceMs ?? now) : null,
      wait: before?.wait ?? this.#beginWait(),
    };
    trouble.wait.because(reason);
    this.#troubles.set(partition, trouble);
    return trouble;
  }

  end(partition: ProducerPartition): void {
    this.#troubles.get(partition)?.wait.end();
    this.#troubles.delete(partition);
  }

  clear(): void {
    for (const { wait } of this.#troubles.values()) wait.end();
    this.#troubles.clear();
  }

  /** What has been wrong longest, once that has lasted a second. */
  get reason(): string | null {
    const [oldest] = this.#troubles.values();
    return oldest !== undefined && this.#clock.monotonic() - oldest.sinceMs >= SAID_AFTER_MS ? oldest.reason : null;
  }
}
