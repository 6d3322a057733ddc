/** `node produce-kafkajs.ts BROKERS TOPIC CODEC FILE`: each line a record, by kafkajs, as its documentation writes them. */
import kafkajs from 'kafkajs';
import lz4 from 'lz4-napi';
import { inFlight } from '../in-flight.ts';
import { lineBatches } from '../line-batches.ts';

/** 500 cost as much, 2,000 more. */
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
const compression = codec === 'lz4' ? CompressionTypes.LZ4 : CompressionTypes.None;
// Its own partitioner deals records to all partitions: a partition a batch costs as much.
await inFlight(lineBatches(file, BATCH), IN_FLIGHT, (lines) =>
  producer.send({ topic, acks: -1, compression, messages: lines.map((value) => ({ value })) }),
);
await producer.disconnect();
