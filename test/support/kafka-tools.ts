import * as tools from '../../scripts/services/kafka-tools.ts';

export { runKafkaJava } from '../../scripts/services/kafka-tools.ts';

/**
 * The class path of Kafka's own tools. Null where Java or Maven is missing or nothing can be downloaded: such tests are then skipped,
 * except with `CI=true`, where that is an error. The first call may take a minute.
 */
export async function kafkaClasspath(): Promise<string | null> {
  try {
    return await tools.kafkaClasspath();
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    return null;
  }
}
