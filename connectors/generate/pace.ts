import type { Clock } from 'sluice/api';

/** Timers are no finer; above 100 records a second several come at once. */
const SHORTEST_WAIT_MS = 10;
/** What could not be handed over while the budget was spent is caught up with, but no more than this. */
const LONGEST_BACKLOG_MS = 1000;

/** Says how many records are due at an even rate. Infinity records a second are always due. */
export class Pace {
  readonly #perMs: number;
  readonly #clock: Clock;
  /** When the record due next was, or will be, due: monotonic milliseconds. */
  #dueAt: number;

  constructor(perSecond: number, clock: Clock) {
    this.#perMs = perSecond / 1000;
    this.#clock = clock;
    this.#dueAt = clock.monotonic();
  }

  /** Waits until at least one record is due and returns how many are. Rejects when the signal aborts. */
  async due(signal: AbortSignal): Promise<number> {
    if (this.#perMs === Infinity) return Infinity;
    const early = this.#dueAt - this.#clock.monotonic();
    if (early > 0) await this.#clock.sleep(Math.max(early, SHORTEST_WAIT_MS), signal);
    const now = this.#clock.monotonic();
    this.#dueAt = Math.max(this.#dueAt, now - LONGEST_BACKLOG_MS);
    return Math.max(1, Math.floor((now - this.#dueAt) * this.#perMs) + 1);
  }

  /** So many of the due records were handed over. */
  took(records: number): void {
    this.#dueAt += records / this.#perMs;
  }
}
