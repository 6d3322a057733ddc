import type { Clock } from '../../api/index.ts';

/** How long something may not work before it is said. */
const SAID_AFTER_MS = 1000;
/** A call that has not failed again for so long hangs on something else by now. */
const STALE_MS = 5000;

/** One call that may wait. */
export interface Wait {
  /** After each failed attempt. */
  because(reason: string): void;
  /** When the call settles. */
  end(): void;
}

interface Lasting {
  readonly since: number;
  reason: string;
  /** When the reason was last heard. */
  heardAt: number;
}

/**
 * What calls wait for, as one sentence: that of the call which has waited longest and still fails for it, once that has lasted a second. One call speaks as long
 * as it can, or the reason would change from attempt to attempt.
 */
export class Waiting {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #onChange: (reason: string | null) => void;
  readonly #waits = new Set<Lasting>();
  #said: string | null = null;

  constructor(clock: Pick<Clock, 'monotonic'>, onChange: (reason: string | null) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Null while everything goes on. */
  get reason(): string | null {
    const now = this.#clock.monotonic();
    const long = [...this.#waits].filter(({ since }) => since <= now - SAID_AFTER_MS);
    const speaker = long.find(({ heardAt }) => heardAt > now - STALE_MS) ?? long[0];
    return speaker?.reason ?? null;
  }

  begin(): Wait {
    let wait: Lasting | null = null;
    return {
      because: (reason) => {
        const now = this.#clock.monotonic();
        if (wait === null) {
          wait = { since: now, reason, heardAt: now };
          this.#waits.add(wait);
        }
        wait.reason = reason;
        wait.heardAt = now;
        this.#say();
      },
      end: () => {
        if (wait === null) return;
        this.#waits.delete(wait);
        this.#say();
      },
    };
  }

  #say(): void {
    const { reason } = this;
    if (reason === this.#said) return;
    this.#said = reason;
    this.#onChange(reason);
  }
}
