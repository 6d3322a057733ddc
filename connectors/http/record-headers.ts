import type { RouteOptions } from './options.ts';
import type { RoutedRequest } from './route.ts';

export type HeaderList = readonly (readonly [name: string, value: Buffer])[];

const NO_HEADERS: HeaderList = [];
/** Room for the varints of a name and a value. */
const LENGTHS_BYTES = 10;

/** What records keep of their request. Values of its headers are the bytes that were sent. */
export class RecordHeaders {
  readonly #names: readonly string[];
  readonly #pathHeader: string;
  readonly #clientHeader: string;

  constructor(options: Pick<RouteOptions, 'headers' | 'path_header' | 'client_header'>) {
    this.#names = [...new Set(options.headers.map((name) => name.toLowerCase()))];
    this.#pathHeader = options.path_header;
    this.#clientHeader = options.client_header;
  }

  /** One list for all records of a request. */
  of({ headers, path, clientAddress }: RoutedRequest): HeaderList {
    if (this.#names.length === 0 && this.#pathHeader === '' && this.#clientHeader === '') return NO_HEADERS;
    const list: [name: string, value: Buffer][] = [];
    for (const name of this.#names) {
      const value = headers[name];
      // Node gives header bytes as Latin-1 text.
      if (value !== undefined)
        list.push([name, Buffer.from(typeof value === 'string' ? value : value.join(', '), 'latin1')]);
    }
    if (this.#pathHeader !== '') list.push([this.#pathHeader, Buffer.from(path, 'latin1')]);
    if (this.#clientHeader !== '' && clientAddress !== null)
      list.push([this.#clientHeader, Buffer.from(clientAddress, 'latin1')]);
    return list;
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
