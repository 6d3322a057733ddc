/** `node produce-platformatic.ts BROKERS TOPIC CODEC FILE`: each line a record, by the producer of @platformatic/kafka. */
import { Producer } from '@platformatic/kafka';
import { inFlight } from '../in-flight.ts';
import { lineBatches } from '../line-batches.ts';
import { PARTITIONS } from '../topics.ts';

/** It gets slower above. */
const BATCH = 500;
const IN_FLIGHT = 4;

const [brokers, topic, codec, file] = process.argv.slice(2) as [string, string, 'lz4' | 'none', string];
const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
  clientId: 'bench',
  bootstrapBrokers: brokers.split(','),
  acks: -1,
  compression: codec,
  autocreateTopics: false,
});
let batches = 0;
await inFlight(lineBatches(file, BATCH), IN_FLIGHT, (lines) => {
  const partition = batches++ % PARTITIONS;
  return producer.send({ messages: lines.map((value) => ({ topic, value, partition })) });
});
await producer.close();
