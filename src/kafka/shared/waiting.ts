import type { Clock } from '../../api/index.ts';

/** How long something may not work before it is said. */
const SAID_AFTER_MS = 1000;

/** One call that may wait. */
export interface Wait {
  /** After each failed attempt. */
  because(reason: string): void;
  /** When the call settles. */
  end(): void;
}

interface Lasting {
  since: number;
  reason: string;
}

/** What calls wait for, as one sentence: that of the call which has waited longest, once that has lasted a second. */
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
    const [oldest] = this.#waits;
    const isLong = oldest !== undefined && oldest.since <= this.#clock.monotonic() - SAID_AFTER_MS;
    return isLong ? oldest.reason : null;
  }

  begin(): Wait {
    let wait: Lasting | null = null;
    return {
      because: (reason) => {
        if (wait === null) {
          wait = { since: this.#clock.monotonic(), reason };
          this.#waits.add(wait);
        }
        wait.reason = reason;
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
