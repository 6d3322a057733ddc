import { kafkaTool } from '../../services/kafka-tools.ts';

/** The values that Kafka's own consumer gets with read_committed, in the order of each partition. */
export async function consumeCommitted(brokers: string, topic: string): Promise<string[]> {
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
    ...['--timeout-ms', '4000'],
  ]);
  // That nothing came for so long it says on the same stream, and so does its log: only records begin with their place.
  return [...stdout.matchAll(/^Partition:\d+\tOffset:\d+\t(.*)$/gm)].map(([, value = '']) => value);
}
