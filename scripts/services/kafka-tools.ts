import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { resolveClasspath } from './maven.ts';

const run = promisify(execFile);

export const kafkaVersion = '4.3.1';

/** Kafka's broker and its own tools. */
export function kafkaClasspath(): Promise<string> {
  return resolveClasspath(`kafka-${kafkaVersion}`, [
    `org.apache.kafka:kafka_2.13:${kafkaVersion}`,
    `org.apache.kafka:kafka-tools:${kafkaVersion}`,
    // The binding for slf4j 1.7, which Kafka brings without one: no log line is written otherwise.
    'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4',
  ]);
}

export interface ToolOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a class of Kafka's own tools (`org.apache.kafka.tools.consumer.ConsoleConsumer`) with `input` on its standard input and resolves
 * with what it printed. Rejects, with `stdout` and `stderr` on the error, when it exits with another code than 0.
 */
export async function kafkaTool(main: string, parameters: readonly string[], input = ''): Promise<ToolOutput> {
  return runKafkaJava(await kafkaClasspath(), main, parameters, input);
}

/** The same for any class of the class path, or a source file that ends in `.java`. */
export async function runKafkaJava(
  classpath: string,
  main: string,
  parameters: readonly string[],
  input = '',
): Promise<ToolOutput> {
  // The tools end within seconds: the quick compiler alone saves most of their start.
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  // By the environment: a failure names the command, and the class path is thousands of characters.
  const env = { ...process.env, CLASSPATH: classpath };
  const tool = run('java', [...jvm, main, ...parameters], { timeout: 120_000, maxBuffer: 256 * 1024 * 1024, env });
  // A tool that does not read what it was given ends all the same.
  tool.child.stdin?.on('error', () => undefined).end(input);
  return tool;
}
