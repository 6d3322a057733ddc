import type { IncomingHttpHeaders } from 'node:http';
import type { JsonScanner } from 'sluice/codec';
import type { HttpAnswer, Refusal } from 'sluice/toolkit';
import type { FoundRecords } from './found-records.ts';
import type { Taken } from './protocol.ts';

/** What a format may know of a request before its body is here. */
export interface FormatRequest {
  readonly method: string;
  /** What stands behind the route's own path, without the query: '' for that path itself, `/orders/_bulk`. */
  readonly subpath: string;
  /** Behind the question mark; '' without one. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** What the bodies of a route hold, and what its clients want to be told. A format is a file of its own beside this one, named in `index.ts`. */
export interface RouteFormat {
  /** The methods that the route answers; others get 405. */
  readonly methods: readonly string[];
  /** True: the paths below the route's are its own, too; `accept` refuses those that are none. */
  readonly ownsPathsBelow: boolean;
  /**
   * Called for a client that may post here. An answer is for requests that bring no records: who asks what this server is, say. Throws `Refusal`, with 415
   * for bodies that are not read here.
   */
  accept(request: FormatRequest): Reading | Gathering | HttpAnswer;
  /** The words in which clients of this format are refused. Unset: JSON with an `error`. */
  refused?(refusal: Refusal, request: FormatRequest): HttpAnswer;
}

/** One request whose body is wanted. May keep what its answer needs; never the body. */
export interface Reading {
  /** Begins to look for records in a body, which was inflated, and adds to `found`, which is empty. */
  search(bytes: Buffer, found: FoundRecords, limits: SearchLimits): RecordSearch;
  /** The answer once all records that were found are durable. */
  taken(records: number): HttpAnswer;
  /** The answer to a request whose `Idempotency-Key` was committed before: its body was not looked at. */
  repeated(): HttpAnswer;
}

/** One request whose records are written anew, in place of a `Reading`. */
export interface Gathering {
  /** Gathers the records of a body, in turns. Returns what is to be answered once all of them are durable. Throws `Refusal`: nothing is taken then. */
  gather(taken: Taken): Generator<void, HttpAnswer>;
  repeated(): HttpAnswer;
}

export interface SearchLimits {
  readonly scanner: JsonScanner;
  /** Of one record with its key and the headers that `found` is told of. */
  readonly maxRecordBytes: number;
  readonly maxRecords: number;
  /** Of what a format writes that does not hand on slices of the body. */
  readonly maxWrittenBytes: number;
}

export interface RecordSearch {
  /** Goes on for a turn of `TURN_BYTES`; false at the end. Throws `Refusal` with the place when a record is bad: nothing of the request is taken then. */
  advance(): boolean;
}

/** After so many bytes other requests get a turn: some 10 ms of work. */
export const TURN_BYTES = 4 * 1024 * 1024;

export function isReading(accepted: Reading | Gathering | HttpAnswer): accepted is Reading | Gathering {
  return 'search' in accepted || 'gather' in accepted;
}
