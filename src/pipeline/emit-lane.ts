import type { CommitRequest } from '../log/index.ts';
import { EmitFlight, type NewEmit } from './emit-flight.ts';
import { createFlightRequest, type FlightRequest } from './flight-request.ts';
import type { SourceTarget } from './source-target.ts';

/** How much may wait for one commit before the next flight is begun; with a key less, since copying blocks the thread. */
const MAX_FLIGHT_BYTES = 8 * 1024 * 1024;
const MAX_KEYED_FLIGHT_BYTES = 1024 * 1024;

export interface EmitLaneOptions {
  readonly target: SourceTarget;
  readonly commit: (request: CommitRequest) => Promise<void>;
  /** Nothing departs any more. */
  readonly signal: AbortSignal;
  /** Is everything that positions could speak for durable, but for what waits? */
  readonly savesPositions: () => boolean;
  readonly onCommitted: (flight: EmitFlight, request: FlightRequest) => void;
  readonly onRejected: (flight: EmitFlight, error: unknown) => void;
}

/** Emits in their order, one commit at a time: the first departs at once, those that come meanwhile share the next. */
export class EmitLane {
  readonly #options: EmitLaneOptions;
  readonly #maxFlightBytes: number;
  readonly #waiting: EmitFlight[] = [];
  #departing: Promise<void> | null = null;

  constructor(options: EmitLaneOptions) {
    this.#options = options;
    this.#maxFlightBytes = options.target.keyOf === null ? MAX_FLIGHT_BYTES : MAX_KEYED_FLIGHT_BYTES;
  }

  /** Resolves when nothing waits any more; null: nothing does. */
  get settled(): Promise<void> | null {
    return this.#departing;
  }

  add(emit: NewEmit): void {
    this.#flightWithRoom().add(emit);
    this.#departing ??= this.#depart();
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

  async #depart(): Promise<void> {
    for (let flight = this.#waiting.shift(); flight !== undefined; flight = this.#waiting.shift()) {
      try {
        const request = await this.#commit(flight);
        this.#options.onCommitted(flight, request);
      } catch (error) {
        this.#options.onRejected(flight, error);
      }
    }
    this.#departing = null;
  }

  async #commit(flight: EmitFlight): Promise<FlightRequest> {
    const { target, signal, commit } = this.#options;
    const savesPositions = this.#options.savesPositions();
    const prepared = await createFlightRequest(flight, target, { savesPositions, signal });
    try {
      // Closed while the copies were made: the next run may have read the positions already.
      signal.throwIfAborted();
      const { batches = [], positions = [], dedupe = [] } = prepared.request;
      if (batches.length + positions.length + dedupe.length > 0) await commit(prepared.request);
    } finally {
      prepared.release();
    }
    return prepared;
  }
}
