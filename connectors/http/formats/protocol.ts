import type { GatheredRecords, HttpAnswer, Refusal } from 'sluice/toolkit';
import type { FormatRequest, RouteFormat } from './format.ts';

/** The body of a request, and what becomes of it. */
export interface Taken {
  readonly bytes: Buffer;
  /** Of the records whose time is not told. */
  readonly nowMs: number;
  readonly records: GatheredRecords;
  /** Others of a request get 413. */
  readonly maxRecords: number;
  /** Headers that each record gets beside its own. */
  readonly shared: readonly (readonly [name: string, value: Buffer])[];
}

/** What clients speak that do more than post records: the requests that they make, what is in them, and the answers that they understand. */
export interface Protocol {
  readonly methods: readonly string[];
  readonly ownsPathsBelow: boolean;
  /** The answer to a request that carries no records; null when it does. Throws `Refusal`. */
  greet(request: FormatRequest): HttpAnswer | null;
  /** Gathers the records of a body, in turns. Returns what is to be answered once all of them are durable. Throws `Refusal`: nothing is taken then. */
  read(request: FormatRequest, taken: Taken): Generator<void, HttpAnswer>;
  /** The answer to a request whose `Idempotency-Key` was committed before. */
  repeated(request: FormatRequest): HttpAnswer;
  /** A refusal as clients of this protocol read it. */
  refused(refusal: Refusal, request: FormatRequest): HttpAnswer;
}

/** After so many bytes other requests get a turn: some 10 ms of work. */
export const TURN_BYTES = 2 * 1024 * 1024;

/** A protocol as the format of a route. */
export function formatOfProtocol(protocol: Protocol): RouteFormat {
  const { methods, ownsPathsBelow } = protocol;
  return {
    methods,
    ownsPathsBelow,
    accept: (request) =>
      protocol.greet(request) ?? {
        gather: (taken) => protocol.read(request, taken),
        repeated: () => protocol.repeated(request),
      },
    refused: (refusal, request) => protocol.refused(refusal, request),
  };
}
