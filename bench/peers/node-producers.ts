import { fileURLToPath } from 'node:url';
import type { FileToKafka, Tool } from '../system.ts';

/** Both get what the hub gets: buffers that are slices of the file, so that the client is what is compared, not how lines are read. */
export const kafkajs = producer('kafkajs', 'produce-kafkajs', 150_000);
export const platformatic = producer('@platformatic/kafka', 'produce-platformatic', 300_000);

function producer(name: string, program: string, recordsPerSecond: number): Tool<FileToKafka> {
  const script = fileURLToPath(new URL(`../processes/${program}.ts`, import.meta.url));
  return {
    kind: 'tool',
    name,
    recordsPerSecond,
    missing: () => Promise.resolve(null),
    prepare: ({ brokers, topic, codec, input }) =>
      Promise.resolve({
        command: process.execPath,
        parameters: ['-C', 'sluice-source', script, brokers, topic, codec, input],
      }),
  };
}
