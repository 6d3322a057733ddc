import { SluiceError } from 'sluice/api';
import { MsgpackCursor } from 'sluice/codec';

/** How the entries of a message lie in it. */
type Mode = 'message' | 'forward' | 'packed';

/** A message of the forward protocol (specification v1.5), its parts as positions in its bytes. */
export interface Message {
  readonly mode: Mode;
  readonly tag: Buffer;
  /** `message`: the time begins here. `forward`: the array of entries. `packed`: the entries, back to back, up to `to`. */
  readonly at: number;
  readonly to: number;
  readonly compressed: 'gzip' | 'zstd' | null;
  /** As it is to be sent back: fluentd's ends with a line feed. Null when no acknowledgement is wanted. */
  readonly chunk: Buffer | null;
  /** Metrics and traces of Fluent Bit are no entries. */
  readonly signal: number;
}

/** Reads `bytes[at, end)`, a whole MessagePack value. Throws `DECODE_INVALID` when that is no message. */
export function readMessage(cursor: MsgpackCursor, bytes: Buffer, at: number, end: number): Message {
  cursor.open(bytes, at, end);
  if (cursor.kind() !== 'array') throw invalid(`expected an array, found ${cursor.kind()}`);
  const count = cursor.array();
  if (count < 2) throw invalid(`expected [tag, …], found an array of ${count}`);
  if (cursor.kind() !== 'bytes') throw invalid(`expected a tag, found ${cursor.kind()}`);
  cursor.text();
  const tag = Buffer.from(bytes.subarray(cursor.from, cursor.to));
  const kind = cursor.kind();
  const mode: Mode = kind === 'array' ? 'forward' : kind === 'bytes' ? 'packed' : 'message';
  const before = mode === 'message' ? 3 : 2;
  if (count < before || count > before + 1) throw invalid(`an array of ${count} is no ${mode} mode`);
  let { at: start } = cursor;
  cursor.skip();
  let to = cursor.at;
  if (mode === 'packed') [start, to] = [cursor.from, cursor.to];
  else if (mode === 'message') {
    cursor.skip();
    to = cursor.at;
  }
  const options = count > before ? readOptions(cursor) : NO_OPTIONS;
  if (options.compressed !== null && mode !== 'packed') throw invalid(`compressed entries in ${mode} mode`);
  return { mode, tag, at: start, to, ...options };
}

type MessageOptions = Pick<Message, 'compressed' | 'chunk' | 'signal'>;

const NO_OPTIONS: MessageOptions = { compressed: null, chunk: null, signal: 0 };

function readOptions(cursor: MsgpackCursor): MessageOptions {
  if (cursor.kind() === 'nil') return NO_OPTIONS;
  let { compressed, chunk, signal } = NO_OPTIONS;
  for (let pairs = cursor.map(); pairs > 0; pairs--) {
    const name = readText(cursor);
    if (name === 'compressed') compressed = codingOf(readText(cursor));
    else if (name === 'chunk') {
      cursor.text();
      chunk = Buffer.from(cursor.bytes.subarray(cursor.from, cursor.to));
    } else if (name === 'fluent_signal') signal = cursor.number();
    else cursor.skip();
  }
  return { compressed, chunk, signal };
}

function readText(cursor: MsgpackCursor): string {
  cursor.text();
  return cursor.bytes.toString('utf8', cursor.from, cursor.to);
}

/** fluentd always says it, and `text` for none. */
function codingOf(name: string): 'gzip' | 'zstd' | null {
  if (name === 'text' || name === '') return null;
  if (name === 'gzip' || name === 'zstd') return name;
  throw invalid(`compression ${JSON.stringify(name)} is not known; use gzip, zstd or none`);
}

function invalid(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', `this is no message of the forward protocol: ${reason}`);
}
