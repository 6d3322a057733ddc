import type { Clock, JobPolicy, JobRange } from '../../api/index.ts';
import { parseCron, type Cron } from '../../toolkit/index.ts';
import { offsetsIn } from './intent.ts';

type Limits = Pick<JobPolicy, 'maxRecords' | 'maxAgeMs' | 'cron'>;

/** Decides when what waits in a topic becomes a batch, and how much of it. */
export class RangeCloser {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #cron: Cron | null;
  /** When something began to wait, monotonic and of the clock; null while nothing does. */
  #since: { readonly monotonic: number; readonly at: number } | null = null;
  #nextTick: number;
  /** By partition: up to here batches are closed without waiting for more. */
  #due = new Map<number, number>();

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    const cron = limits.cron === null ? null : parseCron(limits.cron);
    this.#cron = cron === null || typeof cron === 'string' ? null : cron;
    this.#nextTick = this.#cron?.next(clock.now()) ?? Infinity;
  }

  /** When the oldest offset that waits was first seen, in milliseconds since the epoch; null when none does. */
  get waitingSince(): number | null {
    return this.#since?.at ?? null;
  }

  /** What is below these ends does not wait any more. */
  hurry(ends: readonly number[]): void {
    for (const [partition, end] of ends.entries()) this.#due.set(partition, end);
  }

  /** `standing`: what waits, by partition. `isFull`: it has as many bytes as a batch may have. Null while it may wait. */
  close(standing: readonly JobRange[], isFull: boolean): readonly JobRange[] | null {
    const waiting = offsetsIn(standing);
    if (waiting === 0) {
      this.#since = null;
      this.#passTicks();
      return null;
    }
    this.#since ??= { monotonic: this.#clock.monotonic(), at: this.#clock.now() };
    if (this.#passTicks() || this.#isOld()) this.hurry(ends(standing));
    if (waiting >= this.#limits.maxRecords || isFull) return shareOut(standing, this.#limits.maxRecords);
    const due = standing.map((range) => ({ ...range, to: Math.min(range.to, this.#dueIn(range)) }));
    return offsetsIn(due) === 0 ? null : shareOut(due, this.#limits.maxRecords);
  }

  /** A batch with what waited longest is on its way. */
  closed(): void {
    this.#since = null;
  }

  #dueIn({ partition, from }: JobRange): number {
    return Math.max(from, this.#due.get(partition) ?? from);
  }

  #isOld(): boolean {
    const { maxAgeMs } = this.#limits;
    return maxAgeMs !== null && this.#since !== null && this.#clock.monotonic() - this.#since.monotonic >= maxAgeMs;
  }

  #passTicks(): boolean {
    const now = this.#clock.now();
    if (this.#cron === null || now < this.#nextTick) return false;
    this.#nextTick = this.#cron.next(now);
    return true;
  }
}

function ends(standing: readonly JobRange[]): number[] {
  const all: number[] = [];
  for (const { partition, to } of standing) all[partition] = to;
  return all;
}

/** At most so many offsets, as evenly as the partitions allow: a long one does not keep the others waiting. */
export function shareOut(ranges: readonly JobRange[], maxRecords: number): readonly JobRange[] {
  let left = maxRecords;
  const shares = new Map<number, number>();
  const bySize = ranges.toSorted((one, other) => one.to - one.from - (other.to - other.from));
  for (const [index, { partition, from, to }] of bySize.entries()) {
    const share = Math.min(to - from, Math.floor(left / (bySize.length - index)));
    shares.set(partition, share);
    left -= share;
  }
  // What the division left over.
  for (const { partition, from, to } of bySize) {
    const more = Math.min(left, to - from - shares.get(partition)!);
    shares.set(partition, shares.get(partition)! + more);
    left -= more;
  }
  return ranges.map(({ partition, from }) => ({ partition, from, to: from + shares.get(partition)! }));
}
