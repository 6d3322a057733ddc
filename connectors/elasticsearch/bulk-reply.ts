import { JsonMembers, skipSpace } from 'sluice/codec';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
const MAX_DEPTH = 16;
/** Reasons hold values of documents, or pages of Java: the beginning says what is wrong. */
const MAX_TEXT_BYTES = 500;
/** A cut may fall into an escape. */
const LONGEST_ESCAPE = 6;

const ITEMS = Buffer.from('items');
const STATUS = Buffer.from('status');
const ERROR = Buffer.from('error');
const TYPE = Buffer.from('type');
const REASON = Buffer.from('reason');

/** What Elasticsearch says of a request or of one of its items. `type` and `reason` are '' when it does not say. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
  /** Cut to a few hundred bytes. */
  readonly reason: string;
}

interface ItemRefusal extends Refusal {
  /** Counted from 0. */
  readonly item: number;
}

export interface BulkReply {
  /** Items that were there already, in this version or a newer one. */
  readonly known: number;
  readonly refused: readonly ItemRefusal[];
}

const members = new JsonMembers({ maxDepth: MAX_DEPTH });

/**
 * Reads the answer to a bulk request of `count` actions, asked for with a `filter_path` that keeps the status of each item. Nothing is built for items that
 * went well. Null when it is no such answer: nothing is known then. `conflictsAreKnown`: a conflict of
 * versions says that a document was there already; otherwise it is a refusal.
 */
export function readBulkReply(bytes: Buffer, count: number, conflictsAreKnown = true): BulkReply | null {
  const end = bytes.length;
  const root = skipSpace(bytes, 0, end);
  if (bytes[root] !== OPEN_BRACE) return null;
  const items = members.find(bytes, root, end, ITEMS);
  if (items < 0 || bytes[items] !== OPEN_BRACKET) return null;
  const refused: ItemRefusal[] = [];
  let known = 0;
  let at = skipSpace(bytes, items + 1, end);
  let last = { at, length: 0, status: 0 };
  for (let item = 0; item < count; item++) {
    // Most items say the same as the one before.
    if (last.length === 0 || !isRepeated(bytes, last, at)) {
      const after = members.skip(bytes, at, end);
      const inner = after < 0 ? -1 : innerObject(bytes, at, after);
      const status = inner < 0 ? 0 : statusIn(bytes, inner, after);
      if (status === 0) return null;
      last = { at, length: after - at, status };
      if (status < 300 && areAlike(bytes, last, count - item)) {
        at += (count - 1 - item) * (last.length + 1);
        item = count - 1;
      }
    }
    const { length, status } = last;
    if (status === 409 && conflictsAreKnown) known++;
    else if (status >= 300) {
      const error = members.find(bytes, innerObject(bytes, at, end), at + length, ERROR);
      // A document that is to be deleted and is not there is no error.
      if (status !== 404 || error >= 0) refused.push({ item, status, ...errorAt(bytes, error, at + length) });
    }
    at = skipSpace(bytes, at + length, end);
    if (bytes[at] !== (item < count - 1 ? COMMA : CLOSE_BRACKET)) return null;
    at = skipSpace(bytes, at + 1, end);
  }
  return endsWell(bytes, at, end) ? { known, refused } : null;
}

/**
 * Are the next `count` items, with the commas between them, all like this one? One comparison of the bytes with themselves, an item further on, tells of all
 * of them: it is the answer when everything went well.
 */
function areAlike(bytes: Buffer, { at, length }: { at: number; length: number }, count: number): boolean {
  const end = at + count * (length + 1) - 1;
  if (count === 1 || end > bytes.length || bytes[at + length] !== COMMA) return false;
  return bytes.compare(bytes, at + length + 1, end, at, end - length - 1) === 0;
}

/** Whole objects only: what begins like one is one. */
function isRepeated(bytes: Buffer, { at: first, length }: { at: number; length: number }, at: number): boolean {
  for (let index = 0; index < length; index++) if (bytes[at + index] !== bytes[first + index]) return false;
  return true;
}

/** Behind one of its members, does an object come to its end? */
function endsWell(bytes: Buffer, at: number, end: number): boolean {
  while (bytes[at] === COMMA) {
    const name = members.skip(bytes, skipSpace(bytes, at + 1, end), end);
    if (name < 0) return false;
    const colon = skipSpace(bytes, name, end);
    const value = bytes[colon] === COLON ? members.skip(bytes, skipSpace(bytes, colon + 1, end), end) : -1;
    if (value < 0) return false;
    at = skipSpace(bytes, value, end);
  }
  return bytes[at] === CLOSE_BRACE;
}

/** What the body of an answer other than 2xx says. Proxies answer in HTML or not at all: then it says nothing. */
export function readRefusal(bytes: Buffer, status: number): Refusal {
  const end = members.skip(bytes, 0, bytes.length);
  const root = skipSpace(bytes, 0, bytes.length);
  if (end < 0 || bytes[root] !== OPEN_BRACE) return { status, type: '', reason: '' };
  return { status, ...errorAt(bytes, members.find(bytes, root, end, ERROR), end) };
}

/** `{"create":{…}}` → where its second brace is; -1 when it is something else. */
function innerObject(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] !== OPEN_BRACE) return -1;
  const name = skipSpace(bytes, at + 1, end);
  if (bytes[name] !== QUOTE) return -1;
  const inner = skipSpace(bytes, skipSpace(bytes, members.skip(bytes, name, end), end) + 1, end);
  return bytes[inner] === OPEN_BRACE ? inner : -1;
}

/** 0 when there is none. */
function statusIn(bytes: Buffer, object: number, end: number): number {
  const at = members.find(bytes, object, end, STATUS);
  if (at < 0) return 0;
  const status = Number(bytes.toString('latin1', at, members.skip(bytes, at, end)));
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : 0;
}

/** An error is an object, or in some answers a text. */
function errorAt(bytes: Buffer, at: number, end: number): { type: string; reason: string } {
  if (at < 0) return { type: '', reason: '' };
  if (bytes[at] !== OPEN_BRACE) return { type: '', reason: textAt(bytes, at, end) };
  const type = members.find(bytes, at, end, TYPE);
  const reason = members.find(bytes, at, end, REASON);
  return { type: textAt(bytes, type, end), reason: textAt(bytes, reason, end) };
}

function textAt(bytes: Buffer, at: number, end: number): string {
  if (at < 0 || bytes[at] !== QUOTE) return '';
  const after = members.skip(bytes, at, end) - 1;
  const isCut = after - at > MAX_TEXT_BYTES;
  let cut = isCut ? at + MAX_TEXT_BYTES : after;
  while (isCut && (bytes[cut]! & 0xc0) === 0x80) cut--;
  for (let less = 0; less <= LONGEST_ESCAPE; less++) {
    const text = parsed(`"${bytes.toString('utf8', at + 1, cut - less)}"`);
    if (text !== null) return isCut ? `${text}…` : text;
  }
  return '';
}

function parsed(json: string): string | null {
  try {
    return JSON.parse(json) as string;
  } catch {
    return null;
  }
}
