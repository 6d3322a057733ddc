import type { Headers } from '../api/index.ts';
import { putVarint, readVarint, skipVarint, varintSize } from './varint.ts';

type HeaderList = readonly (readonly [name: string, value: Uint8Array | null])[];

export interface MeasuredHeaders {
  readonly list: HeaderList;
  /** Names and values with their lengths: what the record limit counts. */
  readonly payloadBytes: number;
  /** All of it as written, the number of headers included. */
  readonly byteLength: number;
}

/** Sizes come first in a record, so headers are gone through twice. */
export function measureHeaders(headers: Headers): MeasuredHeaders {
  const list = Array.isArray(headers) ? (headers as HeaderList) : [...headers];
  let payloadBytes = 0;
  for (const [name, value] of list) {
    const nameBytes = Buffer.byteLength(name);
    payloadBytes += varintSize(nameBytes << 1) + nameBytes;
    payloadBytes += value === null ? 1 : varintSize(value.length << 1) + value.length;
  }
  return { list, payloadBytes, byteLength: varintSize(list.length << 1) + payloadBytes };
}

/** Returns the position after them. */
export function writeHeaders(out: Buffer, at: number, headers: MeasuredHeaders): number {
  at = putVarint(out, at, headers.list.length << 1);
  for (const [name, value] of headers.list) {
    at = putVarint(out, at, Buffer.byteLength(name) << 1);
    at += out.write(name, at);
    if (value === null) out[at++] = 1;
    else {
      at = putVarint(out, at, value.length << 1);
      out.set(value, at);
      at += value.length;
    }
  }
  return at;
}

/** The headers at `at`, their number first. The bytes must have been checked or written by us. */
export function readHeaders(bytes: Buffer, at: number): [name: string, value: Uint8Array | null][] {
  const list: [string, Uint8Array | null][] = [];
  const count = readVarint(bytes, at);
  at = skipVarint(bytes, at);
  for (let index = 0; index < count; index++) {
    const nameBytes = readVarint(bytes, at);
    at = skipVarint(bytes, at);
    const name = bytes.toString('utf8', at, at + nameBytes);
    at += nameBytes;
    const valueBytes = readVarint(bytes, at);
    at = skipVarint(bytes, at);
    list.push([name, valueBytes < 0 ? null : bytes.subarray(at, at + valueBytes)]);
    at += Math.max(0, valueBytes);
  }
  return list;
}

/** The last value of the header called `name`; undefined when there is none. `name` is UTF-8. */
export function findHeader(bytes: Buffer, at: number, name: Buffer): Uint8Array | null | undefined {
  let found: Uint8Array | null | undefined;
  const count = readVarint(bytes, at);
  at = skipVarint(bytes, at);
  for (let index = 0; index < count; index++) {
    const nameBytes = readVarint(bytes, at);
    const nameAt = skipVarint(bytes, at);
    at = nameAt + nameBytes;
    const valueBytes = readVarint(bytes, at);
    at = skipVarint(bytes, at);
    if (name.length === nameBytes && name.compare(bytes, nameAt, nameAt + nameBytes) === 0) {
      found = valueBytes < 0 ? null : bytes.subarray(at, at + valueBytes);
    }
    at += Math.max(0, valueBytes);
  }
  return found;
}

/**
 * Walks the headers of a record that ends at `end`; -1 when any length leaves it, else the position after them. After this the other functions
 * read them without checks.
 */
export function checkHeaders(bytes: Buffer, at: number, end: number): number {
  const count = readVarint(bytes, at);
  at = skipVarint(bytes, at);
  // Each header takes two bytes at least: no loop over a number that nobody wrote.
  if (at < 0 || count < 0 || count > (end - at) >>> 1) return -1;
  for (let index = 0; index < count; index++) {
    for (let field = 0; field < 2; field++) {
      const length = readVarint(bytes, at);
      at = skipVarint(bytes, at);
      // Only a value may be null.
      if (at < 0 || length < -1 || (length < 0 && field === 0) || length > end - at) return -1;
      at += Math.max(0, length);
    }
  }
  return at;
}
