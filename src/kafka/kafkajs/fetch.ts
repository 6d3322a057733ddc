import type { KafkajsMessage } from 'kafkajs/src/protocol/messageSet/decoder.js';
import {
  BATCH_HEADER_BYTES,
  bufferBytesFor,
  RecordBatchBuilder,
  sealBatch,
  setBaseOffset,
} from '../../record/index.ts';
import type { ReaderOptions } from '../client.ts';
import type { BrokerConnection } from './connection.ts';
import { throwOnCode } from '../common/errors.ts';
import type { AbortedTransaction } from '../common/take-batches.ts';
import type { Library } from './library.ts';

const MAGIC_AT = 16;
/** From here on answers carry record batches and what transactions need. */
const FIRST_WITH_BATCHES = 4;

interface FetchTarget {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchRequest {
  readonly isolation: ReaderOptions['isolation'];
  /** How long the broker may wait for a first byte. */
  readonly maxWaitMs: number;
  /** For the whole answer and for each partition. */
  readonly maxBytes: number;
  /** Served in this order. */
  readonly targets: readonly FetchTarget[];
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** What the isolation sees as the end. */
  readonly end: number;
  readonly aborted: readonly AbortedTransaction[];
  /** As they lie in the answer, the last batch possibly cut off. */
  readonly records: Buffer;
}

/** kafkajs would make an object of every record, in an order of headers of its own: the bytes are taken as they came. */
export async function fetchFrom(
  broker: BrokerConnection,
  library: Library,
  request: FetchRequest,
): Promise<readonly FetchedPartition[]> {
  const { isolation, maxWaitMs, maxBytes } = request;
  const doing = `fetching from ${describe(request.targets)}`;
  const isCommitted = isolation === 'read_committed';
  const { request: encoded, requestTimeout } = broker.exchange('Fetch', {
    isolationLevel: isCommitted ? 1 : 0,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    topics: topicsOf(request.targets, maxBytes),
    rackId: '',
  });
  const decode = (bytes: Buffer): Promise<unknown> =>
    Promise.resolve(readFetch(new library.Decoder(bytes), encoded.apiVersion, isCommitted));
  const response = { decode, parse: (decoded: unknown) => Promise.resolve(decoded) };
  const answer = await broker.send<FetchAnswer>(
    { request: encoded, response, requestTimeout: requestTimeout ?? null },
    doing,
  );
  throwOnCode(answer.errorCode, doing);
  return answer.partitions;
}

interface FetchAnswer {
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

type Decoder = InstanceType<Library['Decoder']>;

function readFetch(decoder: Decoder, version: number, isCommitted: boolean): FetchAnswer {
  const throttleMs = version >= 1 ? decoder.readInt32() : 0;
  const errorCode = version >= 7 ? decoder.readInt16() : 0;
  if (version >= 7) decoder.readInt32();
  const topics = decoder.readArray((entry) => {
    const topic = entry.readString();
    return entry.readArray((part) => readPartition(part, { topic, version, isCommitted }));
  });
  // From version 8 on the broker answers first, and expects nothing more for so long.
  return { clientSideThrottleTime: version >= 8 ? throttleMs : 0, errorCode, partitions: topics.flat() };
}

function readPartition(
  decoder: Decoder,
  { topic, version, isCommitted }: { topic: string; version: number; isCommitted: boolean },
): FetchedPartition {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = Number(decoder.readInt64());
  const hasBatches = version >= FIRST_WITH_BATCHES;
  const stable = hasBatches ? Number(decoder.readInt64()) : highWatermark;
  if (version >= 5) decoder.readInt64();
  const readAborted = (entry: Decoder): FetchedPartition['aborted'][number] => ({
    producerId: Number(entry.readInt64()),
    firstOffset: Number(entry.readInt64()),
  });
  const aborted = hasBatches ? decoder.readArray(readAborted) : [];
  // The preferred replica: only leaders are read from.
  if (version >= 11) decoder.readInt32();
  const records = decoder.readBytes() ?? Buffer.alloc(0);
  return { topic, partition, errorCode, end: isCommitted ? stable : highWatermark, aborted, records };
}

/** Were they written in the format of before Kafka 0.11? */
export function isMessageSet(records: Buffer): boolean {
  return records.length > MAGIC_AT && records.readInt8(MAGIC_AT) < 2;
}

/** Whole messages of before Kafka 0.11 as record batches, a new one at each gap in the offsets. */
export async function batchesOfMessages(library: Library, records: Buffer): Promise<Buffer> {
  const messages = await library.decodeMessageSet(new library.Decoder(records), records.length);
  const batches: Buffer[] = [];
  for (let first = 0; first < messages.length;) {
    const base = Number(messages[first]!.offset);
    let end = first + 1;
    while (end < messages.length && Number(messages[end]!.offset) === base + end - first) end++;
    batches.push(batchOf(messages.slice(first, end), base));
    first = end;
  }
  return Buffer.concat(batches);
}

function batchOf(messages: readonly KafkajsMessage[], base: number): Buffer {
  const sizes = messages.map(({ key, value }) => bufferBytesFor((key?.length ?? 0) + (value?.length ?? 0)));
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, BATCH_HEADER_BYTES));
  const builder = new RecordBatchBuilder(
    { bytes, release: () => undefined },
    { maxRecordBytes: bytes.length, now: () => 0 },
  );
  for (const { key, value, timestamp } of messages) builder.append(value, key, Math.max(0, Number(timestamp ?? 0)));
  const sealed = sealBatch(builder, { compression: 'none' });
  setBaseOffset(sealed, 0, base);
  return sealed;
}

function topicsOf(targets: readonly FetchTarget[], maxBytes: number): object[] {
  const topics = new Map<string, object[]>();
  for (const { topic, partition, offset } of targets) {
    const partitions = topics.get(topic) ?? [];
    topics.set(topic, partitions);
    partitions.push({ partition, fetchOffset: String(offset), maxBytes });
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

function describe(targets: readonly FetchTarget[]): string {
  const [first] = targets;
  if (first === undefined) return 'nothing';
  const others = targets.length > 1 ? ` and ${targets.length - 1} others` : '';
  return `topic ${JSON.stringify(first.topic)} partition ${first.partition}${others}`;
}
