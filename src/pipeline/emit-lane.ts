import type { CommitRequest } from '../log/index.ts';
import { crashPoint } from '../telemetry/index.ts';
import { EmitFlight, type NewEmit } from './emit-flight.ts';
import { createFlightRequest, type FlightRequest } from './flight-request.ts';
import type { SourceTarget } from './source-target.ts';

/** How much may wait for one commit before the next flight is begun; with a key less, since copying blocks the thread. */
const MAX_FLIGHT_BYTES = 8 * 1024 * 1024;
const MAX_KEYED_FLIGHT_BYTES = 1024 * 1024;

/** With less than this waiting nothing departs behind what is under way: it would only make the flights smaller. */
const WORTH_A_FLIGHT_BYTES = 256 * 1024;

export interface EmitLaneOptions {
  readonly target: SourceTarget;
  readonly commit: (request: CommitRequest) => Promise<void>;
  /** How many commits may be under way. More than one only where the log saves no position behind one that failed. */
  readonly maxCommits: number;
  /** Nothing departs any more. */
  readonly signal: AbortSignal;
  /** Is everything that positions could speak for durable, but for what waits? */
  readonly savesPositions: () => boolean;
  readonly onCommitted: (flight: EmitFlight, request: FlightRequest) => void;
  readonly onRejected: (flight: EmitFlight, error: unknown) => void;
}

/** Commits of emits in their order: the first departs at the end of the turn, with whatever else was read in it; those that come meanwhile share the next. */
export class EmitLane {
  readonly #options: EmitLaneOptions;
  readonly #maxFlightBytes: number;
  readonly #waiting: EmitFlight[] = [];
  /** Whose buffers the log has. */
  #underWay = 0;
  #unsettled = 0;
  #isPreparing = false;
  #isScheduled = false;
  #settling: PromiseWithResolvers<void> | null = null;

  constructor(options: EmitLaneOptions) {
    this.#options = options;
    this.#maxFlightBytes = options.target.keyOf === null ? MAX_FLIGHT_BYTES : MAX_KEYED_FLIGHT_BYTES;
  }

  /** Resolves when nothing waits any more; null: nothing does. */
  get settled(): Promise<void> | null {
    return this.#settling?.promise ?? null;
  }

  add(emit: NewEmit): void {
    this.#flightWithRoom().add(emit);
    this.#settling ??= Promise.withResolvers();
    if (this.#isPreparing || this.#isScheduled || !this.#mayDepart()) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isPreparing) void this.#depart();
    });
  }

  /** What has not departed, never to depart. */
  takeWaiting(): EmitFlight[] {
    return this.#waiting.splice(0);
  }

  #flightWithRoom(): EmitFlight {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.bytes < this.#maxFlightBytes) return last;
    const flight = new EmitFlight();
    this.#waiting.push(flight);
    return flight;
  }

  #mayDepart(): boolean {
    const [next] = this.#waiting;
    if (next === undefined || this.#underWay >= this.#options.maxCommits) return false;
    return this.#underWay === 0 || next.bytes >= WORTH_A_FLIGHT_BYTES;
  }

  /** Prepares one flight at a time, since commits are called in the order of the emits. */
  async #depart(): Promise<void> {
    this.#isPreparing = true;
    while (this.#mayDepart()) {
      const flight = this.#waiting.shift()!;
      this.#underWay++;
      this.#unsettled++;
      const { target, signal, savesPositions } = this.#options;
      const options = { savesPositions: savesPositions(), signal };
      try {
        const prepared = await createFlightRequest(flight, target, options);
        crashPoint('after-prepare');
        void this.#commit(flight, prepared);
      } catch (error) {
        this.#underWay--;
        this.#settle(() => {
          this.#options.onRejected(flight, error);
        });
      }
    }
    this.#isPreparing = false;
    if (this.#unsettled > 0 || this.#waiting.length > 0) return;
    this.#settling?.resolve();
    this.#settling = null;
  }

  async #commit(flight: EmitFlight, prepared: FlightRequest): Promise<void> {
    const { signal, commit, onCommitted, onRejected } = this.#options;
    const { batches = [], positions = [], dedupe = [] } = prepared.request;
    let isLanded = false;
    const land = (): void => {
      if (isLanded) return;
      isLanded = true;
      prepared.release();
      flight.release();
      this.#underWay--;
    };
    const onWritten = (): void => {
      land();
      this.#goOn();
    };
    let tell: () => void;
    try {
      // Closed while the copies were made: the next run may have read the positions already.
      signal.throwIfAborted();
      if (batches.length + positions.length + dedupe.length > 0) await commit({ ...prepared.request, onWritten });
      tell = () => {
        onCommitted(flight, prepared);
      };
    } catch (error) {
      tell = () => {
        onRejected(flight, error);
      };
    }
    land();
    this.#settle(tell);
  }

  #settle(tell: () => void): void {
    this.#unsettled--;
    tell();
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#isPreparing) void this.#depart();
  }
}
