import { createAPI, Writer, type API, type Reader } from './package.ts';

const PRODUCE_API_KEY = 0;
/** Below 3 a broker takes formats of before Kafka 0.11 only. */
const LOWEST = 3;
/** The last version that names topics. */
const HIGHEST = 12;
const FIRST_FLEXIBLE = 9;

const ALL_IN_SYNC = -1;

interface ProduceRequest {
  readonly transactionalId: string | null;
  /** How long the broker may wait for its replicas. */
  readonly timeoutMs: number;
  /** One batch for each partition, by topic and partition. */
  readonly batches: ReadonlyMap<string, ReadonlyMap<number, { readonly bytes: Buffer }>>;
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 with an error, and where the broker no longer knows it. */
  readonly baseOffset: number;
  /** What the broker says beside the code, from version 8 on. */
  readonly message: string | null;
}

export interface ProduceAnswer {
  readonly throttleTimeMs: number;
  readonly partitions: readonly ProducedPartition[];
}

export type ProduceApi = API<[request: ProduceRequest], ProduceAnswer>;

/** Produce in its versions 3 to `highest`. */
export function produceApis(highest = HIGHEST): readonly ProduceApi[] {
  return Array.from({ length: highest - LOWEST + 1 }, (_, index) => produceApi(LOWEST + index));
}

function produceApi(version: number): ProduceApi {
  const isFlexible = version >= FIRST_FLEXIBLE;
  return createAPI<[ProduceRequest], ProduceAnswer>(
    PRODUCE_API_KEY,
    version,
    (request: ProduceRequest) => writeProduce(version, request),
    (_correlationId, _apiKey, _version, reader) => readProduce(version, reader),
    isFlexible,
    isFlexible,
  );
}

/** The batches are not copied on their way to the socket. */
function writeProduce(version: number, request: ProduceRequest): Writer {
  const isFlexible = version >= FIRST_FLEXIBLE;
  const writer = Writer.create();
  writer.appendString(request.transactionalId, isFlexible).appendInt16(ALL_IN_SYNC).appendInt32(request.timeoutMs);
  writer.appendArray(
    [...request.batches],
    (_, [topic, partitions]) => {
      writer.appendString(topic, isFlexible).appendArray(
        [...partitions],
        (__, [partition, { bytes }]) => {
          writer.appendInt32(partition).appendBytes(bytes, isFlexible);
        },
        isFlexible,
        isFlexible,
      );
    },
    isFlexible,
    isFlexible,
  );
  if (isFlexible) writer.appendTaggedFields();
  return writer;
}

function readProduce(version: number, reader: Reader): ProduceAnswer {
  const isFlexible = version >= FIRST_FLEXIBLE;
  const topics = reader.readArray(
    () => {
      const topic = reader.readString(isFlexible);
      return reader.readArray(() => readPartition(version, reader, topic), isFlexible, isFlexible);
    },
    isFlexible,
    isFlexible,
  );
  return { partitions: topics.flat(), throttleTimeMs: reader.readInt32() };
}

function readPartition(version: number, reader: Reader, topic: string): ProducedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const baseOffset = Number(reader.readInt64());
  // The append time of the batch, which its records carry as well.
  reader.readInt64();
  // The start of the log.
  if (version >= 5) reader.readInt64();
  return { topic, partition, errorCode, baseOffset, message: version >= 8 ? readMessage(version, reader) : null };
}

/** What is said of the first refused record, else of the batch. */
function readMessage(version: number, reader: Reader): string | null {
  const isFlexible = version >= FIRST_FLEXIBLE;
  const ofRecords = reader.readArray(
    () => {
      const index = reader.readInt32();
      const text = reader.readNullableString(isFlexible);
      return text === null ? null : `record ${index}: ${text}`;
    },
    isFlexible,
    isFlexible,
  );
  const ofBatch = reader.readNullableString(isFlexible);
  return ofRecords.find((text) => text !== null) ?? ofBatch;
}
