import { JsonMembers, skipSpace } from 'sluice/codec';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
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

/** Reads the answer to an update with `versions=true`. Nothing is built for documents that went well. Null when it is no such answer, or only the beginning of one. */
export function readUpdateAnswer(bytes: Buffer): UpdateAnswer | null {
  const end = bytes.length;
  const root = skipSpace(bytes, 0, end);
  if (bytes[root] !== OPEN_BRACE || members.skip(bytes, root, end) < 0) return null;
  const header = members.find(bytes, root, end, HEADER);
  if (header < 0 || bytes[header] !== OPEN_BRACE) return null;
  const status = numberAt(bytes, members.find(bytes, header, end, STATUS));
  if (status === null) return null;
  const replicas = numberAt(bytes, members.find(bytes, header, end, REPLICAS));
  const adds = countVersions(bytes, members.find(bytes, root, end, ADDS), end);
  const deletes = countVersions(bytes, members.find(bytes, root, end, DELETES), end);
  if (adds === null || deletes === null) return null;
  return {
    status,
    replicas: replicas !== null && replicas > UNKNOWN_REPLICAS ? Infinity : replicas,
    errors: errorsAt(bytes, members.find(bytes, header, end, ERRORS), end),
    confirmed: adds.confirmed + deletes.confirmed,
    unconfirmed: adds.unconfirmed + deletes.unconfirmed,
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

/** `["id",version,…]`: how many have a version. Null when it is something else. */
function countVersions(bytes: Buffer, at: number, end: number): { confirmed: number; unconfirmed: number } | null {
  let confirmed = 0;
  let unconfirmed = 0;
  if (at < 0) return { confirmed, unconfirmed };
  if (bytes[at] !== OPEN_BRACKET) return null;
  at = skipSpace(bytes, at + 1, end);
  while (bytes[at] !== CLOSE_BRACKET) {
    if (bytes[at] !== QUOTE) return null;
    at = skipSpace(bytes, members.skip(bytes, at, end), end);
    if (bytes[at] !== COMMA) return null;
    at = skipSpace(bytes, at + 1, end);
    if (bytes[at] === ZERO) unconfirmed++;
    else confirmed++;
    at = skipSpace(bytes, members.skip(bytes, at, end), end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1, end);
  }
  return { confirmed, unconfirmed };
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
