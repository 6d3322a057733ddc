import { join } from 'node:path';
import type { Address } from '../../../services/services.ts';

const jobs = join(import.meta.dirname, '..', '..', '..', '..', 'pipelines', 'spark');

/** What Java starts for a batch lives for seconds: no time for its second compiler. */
export const javaEnvironment = {
  JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
  SPARK_LOCAL_IP: '127.0.0.1',
} as const;

/** Small enough for several at once. */
const properties =
  '{ spark.driver.memory: 512m, spark.executor.memory: 512m, spark.cores.max: 1, spark.ui.enabled: false }';

/** The options of a sink, up to its ranges: where its jobs run, and what they are. */
export type SparkTarget = (where: {
  readonly spark: Address<'spark'>;
  readonly brokers: string;
  /** Below which batches are published. */
  readonly output: string;
}) => string;

function rangeJob({ spark, brokers, output }: Parameters<SparkTarget>[0]): string {
  return `application:
        path: ${join(jobs, 'range.py')}
        arguments: ['--brokers', '${brokers}', '--output', '${output}', '--format', 'json', '--text']
        jars: [${spark.kafka_jars}]
      properties: ${properties}`;
}

/** A driver in the cluster, asked for through REST. */
export const standalone: SparkTarget = (where) => `standalone:
        rest: ['${where.spark.rest}']
        ui: ['${where.spark.ui}']
        master: '${where.spark.master}'
      environment: { PYTHONPATH: ${where.spark.python_path} }
      ${rangeJob(where)}`;

/** A driver beside the hub, by `spark-submit`, its executors in the same cluster. */
export const sparkSubmit: SparkTarget = (where) => `spark_submit:
        command: ${where.spark.submit}
        master: '${where.spark.master}'
      ${rangeJob(where)}`;

/** The driver and all else beside the hub, with records that were landed for it. */
export function landed({ home, output }: { readonly home: string; readonly output: string }): string {
  return `spark_submit:
        command: ${join(home, 'bin', 'spark-submit')}
        master: 'local[2]'
      application:
        path: ${join(jobs, 'landed.py')}
        arguments: ['--output', '${output}', '--format', 'json', '--text']
      properties: ${properties}
      land: { path: landing }`;
}

export function livy(url: string): SparkTarget {
  return (where) => `livy: { url: '${url}' }
      ${rangeJob(where)}`;
}
