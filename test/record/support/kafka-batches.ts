import { join } from 'node:path';
import { runKafkaJava } from '../../support/kafka-tools.ts';

export const fixtureFolder = join(import.meta.dirname, '..', 'fixtures');

/** Runs `fixtures/KafkaBatches.java` on Kafka's own classes and resolves with what it printed. */
export async function kafkaBatches(classpath: string, ...parameters: readonly string[]): Promise<string> {
  const { stdout } = await runKafkaJava(classpath, join(fixtureFolder, 'KafkaBatches.java'), parameters);
  return stdout;
}
