import { isJsonText, skipSpace } from 'sluice/codec';
import { Refusal } from 'sluice/toolkit';

export type BodyFormat = 'json' | 'ndjson' | 'text';
/** `unknown`: the body decides. */
export type Declared = BodyFormat | 'unknown';

const BY_TYPE: ReadonlyMap<string, Declared> = new Map<string, Declared>([
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/x-jsonl', 'ndjson'],
  ['application/jsonlines', 'ndjson'],
  ['application/x-jsonlines', 'ndjson'],
  ['application/stream+json', 'ndjson'],
  ['application/json-lines', 'ndjson'],
  // What clients send that were not told a type: `curl -d` the first, HTTP libraries the second.
  ['application/x-www-form-urlencoded', 'unknown'],
  ['application/octet-stream', 'unknown'],
]);

const LINE_FEED = 0x0a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** What the option and the Content-Type say together. Throws 415 for types that nothing here reads. */
export function formatOf(option: 'auto' | BodyFormat, contentType: string | undefined): Declared {
  if (option !== 'auto') return option;
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === '') return 'unknown';
  const known = BY_TYPE.get(type);
  if (known !== undefined) return known;
  if (type.startsWith('application/') && type.endsWith('+json')) return 'json';
  if (type.startsWith('text/')) return 'text';
  throw new Refusal(
    415,
    `the content type ${JSON.stringify(type)} is not known; use application/json, application/x-ndjson or text/plain`,
  );
}

/**
 * What a body of no known type holds: JSON when it begins like an object or an array, NDJSON when its first line is a whole value and more
 * follows, lines of text otherwise.
 */
export function guessFormat(bytes: Buffer, maxRecordBytes: number): BodyFormat {
  const start = skipSpace(bytes, 0, bytes.length);
  if (bytes[start] !== OPEN_BRACE && bytes[start] !== OPEN_BRACKET) return 'text';
  const lineEnd = bytes.indexOf(LINE_FEED, start);
  if (lineEnd < 0 || lineEnd - start > maxRecordBytes || skipSpace(bytes, lineEnd, bytes.length) === bytes.length) {
    return 'json';
  }
  return isJsonText(bytes.subarray(start, lineEnd)) ? 'ndjson' : 'json';
}
