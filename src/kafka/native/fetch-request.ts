import type { AbortedTransaction } from '../common/take-batches.ts';
import { Writer, type Reader } from './package.ts';
import type { ReaderOptions } from '../client.ts';

export const FETCH_API_KEY = 1;
/** Below 4 a broker answers in formats of before Kafka 0.11. */
export const FETCH_LOWEST = 4;
export const FETCH_HIGHEST = 18;
const FIRST_FLEXIBLE = 12;
/** From here on topics are named by their ids. */
export const FETCH_FIRST_BY_ID = 13;

const NONE = -1;
const NO_SESSION = 0;
const SESSIONLESS = -1;

type Dynamic = Reader['buffer'];

interface FetchTarget {
  readonly topic: string;
  /** A UUID; needed from version 13 on. */
  readonly topicId: string | null;
  readonly partition: number;
  /** -1: not known. */
  readonly leaderEpoch: number;
  readonly offset: number;
}

export interface FetchRequest {
  readonly isolation: ReaderOptions['isolation'];
  /** How long the broker may wait for a first byte. */
  readonly maxWaitMs: number;
  /** For the whole answer and for each partition; a first batch that is larger comes all the same. */
  readonly maxBytes: number;
  /** Served in this order: the first ones may use up `maxBytes`. */
  readonly targets: readonly FetchTarget[];
}

export interface FetchedPartition {
  /** The topic's name, or its id from version 13 on. */
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The bytes as they lie in the answer, the last batch possibly cut off. Null: none. */
  readonly records: Dynamic | null;
}

export interface FetchAnswer {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

/** What an answer has beside records, at the most, but for aborted transactions. */
export function fetchFrameBytes(targets: number): number {
  return 1024 + 128 * targets;
}

export function isFlexibleFetch(version: number): boolean {
  return version >= FIRST_FLEXIBLE;
}

/** Fetch, versions 4 to 18, without a session: each request names all that it asks for. */
export function writeFetch(version: number, request: FetchRequest): Writer {
  const isFlexible = isFlexibleFetch(version);
  const writer = Writer.create();
  if (version < 15) writer.appendInt32(NONE);
  writer.appendInt32(request.maxWaitMs).appendInt32(1).appendInt32(request.maxBytes);
  writer.appendInt8(request.isolation === 'read_committed' ? 1 : 0);
  if (version >= 7) writer.appendInt32(NO_SESSION).appendInt32(SESSIONLESS);
  writer.appendArray(
    byTopic(request.targets),
    (_, [first, ...others]) => {
      if (version >= FETCH_FIRST_BY_ID) writer.appendUUID(first.topicId);
      else writer.appendString(first.topic, isFlexible);
      writer.appendArray(
        [first, ...others],
        (__, target) => {
          writeTarget(writer, version, target, request.maxBytes);
        },
        isFlexible,
        isFlexible,
      );
    },
    isFlexible,
    isFlexible,
  );
  // Nothing is forgotten, for there is no session.
  if (version >= 7) writer.appendArray([], () => undefined, isFlexible, isFlexible);
  if (version >= 11) writer.appendString('', isFlexible);
  if (isFlexible) writer.appendTaggedFields();
  return writer;
}

function writeTarget(writer: Writer, version: number, target: FetchTarget, maxBytes: number): void {
  writer.appendInt32(target.partition);
  if (version >= 9) writer.appendInt32(target.leaderEpoch);
  writer.appendInt64(BigInt(target.offset));
  if (version >= 12) writer.appendInt32(NONE);
  if (version >= 5) writer.appendInt64(BigInt(NONE));
  writer.appendInt32(maxBytes);
}

/** In the order of each topic's first target. */
function byTopic(targets: readonly FetchTarget[]): [FetchTarget, ...FetchTarget[]][] {
  const topics = new Map<string, [FetchTarget, ...FetchTarget[]]>();
  for (const target of targets) {
    const known = topics.get(target.topic);
    if (known === undefined) topics.set(target.topic, [target]);
    else known.push(target);
  }
  return [...topics.values()];
}

export function readFetch(version: number, reader: Reader): FetchAnswer {
  const isFlexible = isFlexibleFetch(version);
  const throttleMs = reader.readInt32();
  const errorCode = version >= 7 ? reader.readInt16() : 0;
  if (version >= 7) reader.readInt32();
  const topics = reader.readArray(
    () => {
      const topic = version >= FETCH_FIRST_BY_ID ? reader.readUUID() : reader.readString(isFlexible);
      return reader.readArray(() => readPartition(version, reader, topic), isFlexible, isFlexible);
    },
    isFlexible,
    isFlexible,
  );
  return { throttleMs, errorCode, partitions: topics.flat() };
}

function readPartition(version: number, reader: Reader, topic: string): FetchedPartition {
  const isFlexible = isFlexibleFetch(version);
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const lastStableOffset = Number(reader.readInt64());
  if (version >= 5) reader.readInt64();
  const aborted = reader.readArray(
    () => ({ producerId: Number(reader.readInt64()), firstOffset: Number(reader.readInt64()) }),
    isFlexible,
    isFlexible,
  );
  // The preferred replica: only leaders are read from.
  if (version >= 11) reader.readInt32();
  const length = isFlexible ? reader.readUnsignedVarInt() - 1 : reader.readInt32();
  const records = length > 0 ? reader.buffer.subarray(reader.position, reader.position + length) : null;
  if (length > 0) reader.skip(length);
  return { topic, partition, errorCode, highWatermark, lastStableOffset, aborted, records };
}

/** Where records lie in `target`, because their answer was read into it; -1 when they lie elsewhere. */
export function placeOf(records: Dynamic, target: Buffer): number {
  const [first, ...others] = records.buffers;
  return first?.buffer === target.buffer && others.length === 0 ? first.byteOffset - target.byteOffset : -1;
}

/** Copies the bytes once, and returns their number. */
export function copyRecords(records: Dynamic, target: Buffer, at: number): number {
  let end = at;
  for (const part of records.buffers) end += part.copy(target, end);
  return end - at;
}
