import type { Clock } from '../api/index.ts';
import type { LegState } from './status.ts';

export interface LegStanding {
  readonly state: LegState;
  readonly reason: string | null;
  readonly since: number;
  readonly status: string;
}

/** The state of one leg with its reason, and who is told when it changes. */
export class LegStateHolder {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #state: LegState = 'starting';
  #reason: string | null = null;
  #since: number;
  #status = '';

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#since = clock.now();
  }

  get state(): LegState {
    return this.#state;
  }

  get standing(): LegStanding {
    return { state: this.#state, reason: this.#reason, since: this.#since, status: this.#status };
  }

  set(state: LegState, reason: string | null = null): void {
    if (state === this.#state && reason === this.#reason) return;
    if (state !== this.#state) this.#since = this.#clock.now();
    this.#state = state;
    this.#reason = reason;
    this.#onChange();
  }

  /** The connector's own line; no change of state. */
  report(status: string): void {
    this.#status = status;
  }
}
