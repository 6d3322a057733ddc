import { describeError, SluiceError } from '../../api/index.ts';
import { BATCH_HEADER_BYTES, readBatchHeader, verifyBatch, type BatchHeader } from '../../record/index.ts';
import type { ReaderOptions } from '../client.ts';

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

const LENGTH_AT = 8;
const LENGTH_COUNTS_FROM = 12;
const MAGIC_AT = 16;
const PRODUCER_ID_AT = 43;
const ABORT = 0;

export interface BatchesToTake {
  readonly bytes: Buffer;
  /** The batches lie in [at, end); the last may be cut off. */
  readonly at: number;
  readonly end: number;
  /** The offset that was asked for. */
  readonly offset: number;
  readonly isolation: ReaderOptions['isolation'];
  readonly aborted: readonly AbortedTransaction[];
  /** For messages: `topic "a" partition 3`. */
  readonly where: string;
}

export interface TakenBatches {
  /** What is kept begins at `at` and is so long. */
  readonly length: number;
  /** The offset to go on from: `offset` itself when not even the first batch is whole. */
  readonly next: number;
}

/**
 * Keeps what a consumer may see, by moving it together in place: whole batches with records, none below the offset, no control batches, and with `read_committed`
 * none of aborted transactions. What lies before a damaged batch is kept; a damaged first one throws `RECORD_CORRUPT`, an unreadable one
 * `KAFKA_UNSUPPORTED` or `RECORD_UNSUPPORTED`.
 */
export function takeBatches(task: BatchesToTake): TakenBatches {
  const bytes = task.bytes.subarray(0, task.end);
  const transactions = task.isolation === 'read_committed' ? new OpenAborted(task.aborted) : null;
  let { at } = task;
  let keptEnd = task.at;
  let next = task.offset;
  while (at + LENGTH_COUNTS_FROM <= task.end) {
    const byteLength = bytes.readInt32BE(at + LENGTH_AT) + LENGTH_COUNTS_FROM;
    const isFirst = at === task.at;
    if (byteLength > task.end - at && isReadable(bytes, at)) break;
    const header = headerOrNull(bytes, at, { ...task, offset: next }, isFirst);
    if (header === null) break;
    const last = header.baseOffset + header.lastOffsetDelta;
    const isWanted = last >= task.offset && !header.isControl && header.count > 0;
    const isAborted = transactions?.isAborted(bytes, at, header) ?? false;
    if (isWanted && !isAborted) {
      if (keptEnd !== at) bytes.copyWithin(keptEnd, at, at + byteLength);
      keptEnd += byteLength;
    }
    next = Math.max(next, last + 1);
    at += byteLength;
  }
  return { length: keptEnd - task.at, next };
}

/** False for what claims to be a message of an older format, which may be shorter than a header. */
function isReadable(bytes: Buffer, at: number): boolean {
  return at + MAGIC_AT >= bytes.length || bytes.readInt8(at + MAGIC_AT) >= 2;
}

/** Null for a damaged batch that is not the first. */
function headerOrNull(bytes: Buffer, at: number, task: BatchesToTake, isFirst: boolean): BatchHeader | null {
  try {
    return headerOf(bytes, at, task);
  } catch (error) {
    if (isFirst) throw error;
    return null;
  }
}

function headerOf(bytes: Buffer, at: number, { where, offset }: BatchesToTake): BatchHeader {
  const doing = `reading ${where} from offset ${offset}`;
  if (!isReadable(bytes, at)) {
    const format = `format ${bytes.readInt8(at + MAGIC_AT)}`;
    throw new SluiceError('KAFKA_UNSUPPORTED', `${doing}: messages in ${format}, as it was before Kafka 0.11`);
  }
  try {
    const header = readBatchHeader(bytes, at);
    if (verifyBatch(bytes, at)) return header;
  } catch (error) {
    const code = error instanceof SluiceError ? error.code : 'RECORD_CORRUPT';
    throw new SluiceError(code, `${doing}: ${describeError(error)}`, { cause: error });
  }
  throw new SluiceError('RECORD_CORRUPT', `${doing}: the checksum of a record batch is wrong`);
}

/** Which aborted transactions are open at the batch that is looked at; batches come in the order of their offsets. */
class OpenAborted {
  readonly #starts: readonly AbortedTransaction[];
  readonly #open = new Set<number>();
  #started = 0;

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#starts = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  isAborted(bytes: Buffer, at: number, header: BatchHeader): boolean {
    if (this.#starts.length === 0) return false;
    const last = header.baseOffset + header.lastOffsetDelta;
    for (; this.#started < this.#starts.length; this.#started++) {
      const { producerId, firstOffset } = this.#starts[this.#started]!;
      if (firstOffset > last) break;
      this.#open.add(producerId);
    }
    const producerId = Number(bytes.readBigInt64BE(at + PRODUCER_ID_AT));
    if (header.isControl) {
      if (isAbortMarker(bytes, at, header)) this.#open.delete(producerId);
      return false;
    }
    return header.isTransactional && this.#open.has(producerId);
  }
}

/**
 * A control batch has one uncompressed record, whose key is a version and a type of two bytes each. Size, attributes, time and offset before it: varints, all one
 * byte long but the size and the time.
 */
function isAbortMarker(bytes: Buffer, at: number, header: BatchHeader): boolean {
  if (header.count === 0) return false;
  const end = at + header.byteLength;
  let key = skipVarint(bytes, at + BATCH_HEADER_BYTES) + 1;
  for (let field = 0; field < 3; field++) key = skipVarint(bytes, key);
  return key + 4 <= end && bytes.readInt16BE(key + 2) === ABORT;
}

function skipVarint(bytes: Buffer, at: number): number {
  while (at < bytes.length && bytes[at]! >= 0x80) at++;
  return at + 1;
}
