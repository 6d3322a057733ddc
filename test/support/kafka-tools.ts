import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as broker from '../../scripts/services/kafka.ts';

const run = promisify(execFile);

/**
 * The class path of Kafka's own tools. Null where Java or Maven is missing or nothing can be downloaded: such tests are then skipped,
 * except with `CI=true`, where that is an error. The first call may take a minute.
 */
export async function kafkaClasspath(): Promise<string | null> {
  try {
    return await broker.kafkaClasspath();
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    return null;
  }
}

/**
 * Runs a class of the class path, or a source file that ends in `.java`, and resolves with what it printed. Rejects, with
 * `stdout` and `stderr` on the error, when it exits with another code than 0.
 */
export async function runKafkaJava(
  classpath: string,
  main: string,
  parameters: readonly string[],
): Promise<{ stdout: string; stderr: string }> {
  // The tools end within seconds: the quick compiler alone saves most of their start.
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  // By the environment: a failure names the command, and the class path is thousands of characters.
  const env = { ...process.env, CLASSPATH: classpath };
  return run('java', [...jvm, main, ...parameters], { timeout: 120_000, maxBuffer: 256 * 1024 * 1024, env });
}
