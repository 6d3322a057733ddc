import type { IncomingMessage } from 'node:http';

export type HeaderList = readonly (readonly [name: string, value: Buffer])[];

const NO_HEADERS: HeaderList = [];
/** Room for the varints of a name and a value. */
const LENGTHS_BYTES = 10;

/** The request headers that records keep. Values are the bytes that were sent. */
export class RecordHeaders {
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = [...new Set(names.map((name) => name.toLowerCase()))];
  }

  /** One list for all records of a request. */
  of(request: IncomingMessage): HeaderList {
    if (this.#names.length === 0) return NO_HEADERS;
    return this.#names.flatMap((name) => {
      const value = request.headers[name];
      if (value === undefined) return [];
      // Node gives header bytes as Latin-1 text.
      return [[name, Buffer.from(typeof value === 'string' ? value : value.join(', '), 'latin1')] as const];
    });
  }
}

/** What counts against the record limit. */
export function payloadBytes(headers: HeaderList): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

/** At most, in each record. */
export function writtenBytes(headers: HeaderList): number {
  return payloadBytes(headers) + headers.length * LENGTHS_BYTES;
}
