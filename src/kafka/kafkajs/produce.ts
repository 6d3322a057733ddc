import { SluiceError } from '../../api/index.ts';
import {
  bufferBytesFor,
  crc32c,
  readBatchHeader,
  RecordBatchBuilder,
  RecordView,
  sealBatch,
  setBaseOffset,
  type Compression,
} from '../../record/index.ts';
import type { BrokerConnection } from './connection.ts';
import { throwOnCode } from '../common/errors.ts';
import type { Library } from './library.ts';

/** From here on brokers take record batches; before, message sets without headers. */
const FIRST_WITH_BATCHES = 3;
const FIRST_WITH_ZSTD = 7;
const ALL_REPLICAS = -1;
const CODECS: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

export interface ProduceRequest {
  readonly topic: string;
  readonly partition: number;
  /** One sealed batch. Its base offset, leader epoch, producer fields and checksum are written anew. */
  readonly bytes: Buffer;
  /** How long the broker may wait for its replicas. */
  readonly timeoutMs: number;
}

interface ProduceAnswer {
  readonly topics: readonly {
    readonly partitions: readonly {
      readonly errorCode: number;
      readonly baseOffset?: string;
      readonly offset?: string;
    }[];
  }[];
}

/** Resolves with the base offset. Rejects with what the broker refuses, or what does not fit a broker of its age: `KAFKA_UNSUPPORTED`. */
export async function produceTo(broker: BrokerConnection, library: Library, request: ProduceRequest): Promise<number> {
  const doing = `writing to topic ${JSON.stringify(request.topic)} partition ${request.partition}`;
  const exchange =
    broker.version('Produce') >= FIRST_WITH_BATCHES
      ? batchExchange(broker, library, request)
      : broker.exchange('Produce', messagesOf(request, doing));
  const answer = await broker.send<ProduceAnswer>(exchange, doing);
  const [partition] = answer.topics[0]?.partitions ?? [];
  if (partition === undefined) throw new SluiceError('KAFKA_REFUSED', `${doing}: the answer names no partition`);
  throwOnCode(partition.errorCode, doing);
  return Number(partition.baseOffset ?? partition.offset);
}

/** kafkajs would build the batch from objects, with timestamps and headers that it changes: the sealed bytes go as they are. */
function batchExchange(
  broker: BrokerConnection,
  library: Library,
  { topic, partition, bytes, timeoutMs }: ProduceRequest,
): ReturnType<BrokerConnection['exchange']> {
  const { request, response } = broker.exchange('Produce', { acks: ALL_REPLICAS, timeout: timeoutMs, topicData: [] });
  const isZstd = readBatchHeader(bytes, 0).compression === 'zstd';
  const batch = isZstd && broker.version('Produce') < FIRST_WITH_ZSTD ? compressedByGzip(bytes) : unowned(bytes);
  // Copied here and now: later the bytes may be the caller's again.
  const encoder = new library.Encoder()
    .writeString(null)
    .writeInt16(ALL_REPLICAS)
    .writeInt32(timeoutMs)
    .writeInt32(1)
    .writeString(topic)
    .writeInt32(1)
    .writeInt32(partition)
    .writeInt32(batch.length)
    .writeBuffer(batch);
  return { request: { ...request, encode: () => Promise.resolve(encoder) }, response };
}

const AT = { leaderEpoch: 12, crc: 17, attributes: 21, producerId: 43, producerEpoch: 51, baseSequence: 53 } as const;
const COMPRESSION_BITS = 0x07;

/** The batch without what its last partition and producer left in its header. */
function unowned(bytes: Buffer): Buffer {
  setBaseOffset(bytes, 0, 0);
  bytes.writeInt32BE(-1, AT.leaderEpoch);
  bytes.writeInt16BE(bytes.readInt16BE(AT.attributes) & COMPRESSION_BITS, AT.attributes);
  bytes.writeBigInt64BE(-1n, AT.producerId);
  bytes.writeInt16BE(-1, AT.producerEpoch);
  bytes.writeInt32BE(-1, AT.baseSequence);
  bytes.writeUInt32BE(crc32c(bytes.subarray(AT.attributes)), AT.crc);
  return bytes;
}

/** Brokers before 2.1 do not know zstd. */
function compressedByGzip(bytes: Buffer): Buffer {
  const view = opened(bytes);
  const room = Array.from({ length: view.count }, (_, index) => {
    const headers = [...view.headers(index)];
    const inHeaders = headers.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + (value?.length ?? 0), 0);
    return bufferBytesFor(
      (view.key(index)?.length ?? 0) + Math.max(0, view.valueLength(index)) + inHeaders,
      headers.length,
    );
  }).reduce((sum, size) => sum + size, 0);
  const buffer = { bytes: Buffer.allocUnsafe(room), release: () => undefined };
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: room, now: () => 0 });
  for (let index = 0; index < view.count; index++)
    builder.append(view.value(index), view.key(index), view.timestamp(index), view.headers(index));
  return sealBatch(builder, { compression: 'gzip' });
}

/** What kafkajs makes a message set of. */
function messagesOf({ topic, partition, bytes, timeoutMs }: ProduceRequest, doing: string): object {
  const { compression } = readBatchHeader(bytes, 0);
  const view = opened(Buffer.from(bytes));
  const messages = Array.from({ length: view.count }, (_, index) => {
    if ([...view.headers(index)].length > 0) {
      throw new SluiceError('KAFKA_UNSUPPORTED', `${doing}: record headers need Kafka 0.11 or later`);
    }
    return { key: view.key(index), value: view.value(index), timestamp: view.timestamp(index) };
  });
  return {
    acks: ALL_REPLICAS,
    timeout: timeoutMs,
    compression: CODECS[compression === 'zstd' ? 'gzip' : compression],
    topicData: [{ topic, partitions: [{ partition, messages }] }],
  };
}

function opened(bytes: Buffer): RecordView {
  const view = new RecordView({ decode: (value) => value });
  view.addStored({ topic: '', partition: 0, incarnation: '' }, bytes, 0);
  return view;
}
