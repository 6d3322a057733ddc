import type { PipelineState } from '../pipeline/index.ts';

/** What the supervisor knows of a pipeline: its own states, and while no worker runs it, `backing_off`. */
export type SupervisedState = PipelineState | 'backing_off';

/**
 * `running`, `degraded`, `paused`: as the pipeline reports. `lost`: its worker or its topic log is. `retry`: the back-off is over. `failed`: starting it
 * again would not help. `drain`: the hub stops. `stopped`: it ended as asked.
 */
export type StateEvent = 'running' | 'degraded' | 'paused' | 'lost' | 'retry' | 'failed' | 'drain' | 'stopped';

/** Null: the event says nothing in this state, such as a report that was under way while the worker was lost. */
type Row = Readonly<Record<StateEvent, SupervisedState | null>>;

const alive: Row = {
  running: 'running',
  degraded: 'degraded',
  paused: 'paused',
  lost: 'backing_off',
  retry: null,
  failed: 'failed',
  drain: 'draining',
  stopped: 'stopped',
};

const over: Row = {
  running: null,
  degraded: null,
  paused: null,
  lost: null,
  retry: null,
  failed: null,
  drain: null,
  stopped: null,
};

export const transitions: Readonly<Record<SupervisedState, Row>> = {
  starting: alive,
  running: alive,
  degraded: alive,
  paused: alive,
  // Nothing of it runs, so there is nothing to drain.
  backing_off: {
    ...over,
    lost: 'backing_off',
    retry: 'starting',
    failed: 'failed',
    drain: 'stopped',
    stopped: 'stopped',
  },
  // What was in flight when it is lost now is repeated at the next start.
  draining: { ...over, lost: 'stopped', failed: 'failed', stopped: 'stopped' },
  stopped: over,
  // An operator may resume it.
  failed: { ...over, retry: 'starting' },
};

/** The state of one pipeline, with its reason and since when; every change is told. */
export class PipelineStateHolder {
  readonly #now: () => number;
  readonly #onChange: (before: SupervisedState, after: SupervisedState, reason: string | null) => void;
  #state: SupervisedState = 'starting';
  #reason: string | null = null;
  #since: number;

  constructor(
    now: () => number,
    onChange: (before: SupervisedState, after: SupervisedState, reason: string | null) => void,
  ) {
    this.#now = now;
    this.#onChange = onChange;
    this.#since = now();
  }

  get state(): SupervisedState {
    return this.#state;
  }

  get reason(): string | null {
    return this.#reason;
  }

  /** Milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  /** False when the event says nothing in this state. */
  handle(event: StateEvent, reason: string | null = null): boolean {
    const before = this.#state;
    const after = transitions[before][event];
    if (after === null) return false;
    this.#reason = reason;
    if (after === before) return true;
    this.#state = after;
    this.#since = this.#now();
    this.#onChange(before, after, reason);
    return true;
  }
}
