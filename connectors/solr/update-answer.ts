import { JsonMembers, skipSpace } from 'sluice/codec';

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
const MAX_DEPTH = 64;
/** Of messages: they hold values of documents, or pages of Java. */
const MAX_TEXT = 500;
/** Answers that refuse something are read whole up to this size. */
const MAX_ERROR_BYTES = 8 * 1024 * 1024;
/** What Solr says when it does not know how many replicas took a document. */
const UNKNOWN_REPLICAS = 1_000_000;

const members = new JsonMembers({ maxDepth: MAX_DEPTH });
const HEADER = Buffer.from('responseHeader');
const STATUS = Buffer.from('status');
const REPLICAS = Buffer.from('rf');
const ERRORS = Buffer.from('errors');
const ADDS = Buffer.from('adds');
const DELETES = Buffer.from('deletes');

/** A document that was refused while others were taken (TolerantUpdateProcessor). */
export interface ToleratedError {
  readonly id: string;
  readonly message: string;
}

export interface UpdateAnswer {
  readonly status: number;
  /** The least number of replicas that took a document; null when the answer does not say, `Infinity` when Solr does not know. */
  readonly replicas: number | null;
  readonly errors: readonly ToleratedError[];
  /** Additions and deletions that got a version from the leader of their shard. */
  readonly confirmed: number;
  /** Those that were named without one: somebody else was to do them. */
  readonly unconfirmed: number;
}

/** Reads the answer to an update with `versions=true`, once. Nothing is built for documents that went well. Null when it is no such answer, or only the beginning of one. */
export function readUpdateAnswer(bytes: Buffer): UpdateAnswer | null {
  const end = bytes.length;
  const versions: Versions = { confirmed: 0, unconfirmed: 0 };
  let header = -1;
  let at = skipSpace(bytes, 0, end);
  if (bytes[at] !== OPEN_BRACE) return null;
  do {
    const name = skipSpace(bytes, at + 1, end);
    const colon = skipSpace(bytes, afterText(bytes, name, end), end);
    if (bytes[colon] !== COLON) return null;
    const value = skipSpace(bytes, colon + 1, end);
    if (isText(bytes, name, HEADER)) header = value;
    const namesDocuments = isText(bytes, name, ADDS) || isText(bytes, name, DELETES);
    const after = namesDocuments ? countVersions(bytes, value, end, versions) : members.skip(bytes, value, end);
    if (after < 0) return null;
    at = skipSpace(bytes, after, end);
  } while (bytes[at] === COMMA);
  if (bytes[at] !== CLOSE_BRACE || header < 0 || bytes[header] !== OPEN_BRACE) return null;
  const status = numberAt(bytes, members.find(bytes, header, end, STATUS));
  if (status === null) return null;
  const replicas = numberAt(bytes, members.find(bytes, header, end, REPLICAS));
  return {
    status,
    replicas: replicas !== null && replicas > UNKNOWN_REPLICAS ? Infinity : replicas,
    errors: errorsAt(bytes, members.find(bytes, header, end, ERRORS), end),
    ...versions,
  };
}

/** What `error.msg` of a body says, and what was tolerated before; '' where it is HTML, or nothing. */
export function readError(bytes: Buffer): { readonly message: string; readonly errors: readonly ToleratedError[] } {
  const nothing = { message: '', errors: [] };
  if (bytes.length > MAX_ERROR_BYTES) return nothing;
  try {
    const { error, responseHeader } = JSON.parse(bytes.toString()) as {
      error?: { msg?: unknown; trace?: unknown };
      responseHeader?: { errors?: unknown };
    };
    const text = error?.msg ?? error?.trace;
    return { message: typeof text === 'string' ? text : '', errors: toleratedOf(responseHeader?.errors) };
  } catch {
    return nothing;
  }
}

/** One line of a few hundred characters. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}

interface Versions {
  confirmed: number;
  unconfirmed: number;
}

/** `["id",version,…]`: counts those that have a version. Returns where the list ends; -1 when it is something else, or cut off. */
function countVersions(bytes: Buffer, at: number, end: number, versions: Versions): number {
  if (bytes[at] !== OPEN_BRACKET) return -1;
  at = skipSpace(bytes, at + 1, end);
  if (bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = skipSpace(bytes, afterText(bytes, at, end), end);
    if (bytes[at] !== COMMA) return -1;
    at = skipSpace(bytes, at + 1, end);
    if (bytes[at] === ZERO) versions.unconfirmed++;
    else versions.confirmed++;
    at = afterNumber(bytes, at, end);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = skipSpace(bytes, at + 1, end);
  }
}

/** Past a string that begins at `at`; `end` when there is none, or not all of it. */
function afterText(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return end;
  for (let to = at + 1; to < end; to++) {
    const byte = bytes[to]!;
    if (byte === QUOTE) return to + 1;
    // Rare in ids.
    if (byte === BACKSLASH || byte < SPACE) {
      const after = members.skip(bytes, at, end);
      return after < 0 ? end : after;
    }
  }
  return end;
}

/** Past a value that should be a whole number; -1 when there is none. */
function afterNumber(bytes: Buffer, at: number, end: number): number {
  let to = at;
  while (to < end && bytes[to]! >= ZERO && bytes[to]! <= NINE) to++;
  return to > at && (bytes[to] === COMMA || bytes[to] === CLOSE_BRACKET) ? to : members.skip(bytes, at, end);
}

/** Is the string that begins at `at` this one, which has no escapes? */
function isText(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + 1 + index] !== text[index]) return false;
  return bytes[at + 1 + text.length] === QUOTE;
}

function numberAt(bytes: Buffer, at: number): number | null {
  if (at < 0) return null;
  const text = /^-?\d{1,15}/.exec(bytes.toString('latin1', at, at + 16))?.[0];
  return text === undefined ? null : Number(text);
}

function errorsAt(bytes: Buffer, at: number, end: number): readonly ToleratedError[] {
  if (at < 0) return [];
  return toleratedOf(JSON.parse(bytes.toString('utf8', at, members.skip(bytes, at, end))));
}

function toleratedOf(errors: unknown): readonly ToleratedError[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((error: { id?: unknown; message?: unknown }) => ({
    id: typeof error.id === 'string' ? error.id : '',
    message: typeof error.message === 'string' ? error.message : '',
  }));
}
