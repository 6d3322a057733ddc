/** `node produce-kafkajs.ts BROKERS TOPIC CODEC FILE`: each line a record, by kafkajs, as its documentation writes them. */
import kafkajs from 'kafkajs';
import lz4 from 'lz4-napi';
import { inFlight } from '../in-flight.ts';
import { lineBatches } from '../line-batches.ts';
import { PARTITIONS } from '../topics.ts';

/** Fewer cost more requests; more than this gains nothing. */
const BATCH = 1000;
const IN_FLIGHT = 4;

const [brokers, topic, codec, file] = process.argv.slice(2) as [string, string, string, string];
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
// kafkajs has no lz4 of its own; its `Encoder` holds the bytes in `buffer`.
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder: { readonly buffer: Buffer }) => lz4.compressFrameSync(encoder.buffer),
  decompress: (bytes: Buffer) => lz4.decompressFrameSync(bytes),
});
const producer = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR }).producer({
  allowAutoTopicCreation: false,
});
await producer.connect();
let batches = 0;
await inFlight(lineBatches(file, BATCH), IN_FLIGHT, (lines) => {
  // A partition a batch: its own partitioner deals every record to another one, and so sends four small batches for each.
  const partition = batches++ % PARTITIONS;
  return producer.send({
    topic,
    acks: -1,
    compression: codec === 'lz4' ? CompressionTypes.LZ4 : CompressionTypes.None,
    messages: lines.map((value) => ({ value, partition })),
  });
});
await producer.disconnect();
