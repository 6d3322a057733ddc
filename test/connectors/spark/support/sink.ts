import type { Clock, JobBatch, JobSink, JobSinkDefinition, Json } from '../../../../src/api/index.ts';
import { convertOptions } from '../../../../src/config/index.ts';
import { definitions } from '../../../../connectors/spark/index.ts';
import { createSink } from '../../../../connectors/spark/create.ts';
import type { SinkOptions } from '../../../../connectors/spark/options.ts';
import { realClock } from '../../../../src/telemetry/index.ts';

export const definition = definitions[0] as JobSinkDefinition;

const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };

export function optionsOf(options: Json): SinkOptions {
  const context = { baseDir: '/pipelines', references: { env: [], file: [] }, env: {} };
  return convertOptions(definition, options, context) as SinkOptions;
}

export function sinkWith(options: Json, clock: Clock = realClock): Promise<JobSink> {
  const { signal } = new AbortController();
  return createSink(optionsOf(options), { clock, log: silent, outbound: { deny: [], allow: [] }, signal });
}

export const batch: JobBatch = {
  id: 'orders.spark.0123456789abcdef',
  topic: 'orders',
  incarnation: 'AAAAAAAA',
  ranges: [
    { partition: 0, from: 100, to: 150 },
    { partition: 1, from: 7, to: 7 },
  ],
  offsets: 50,
  attempt: 1,
  folder: null,
};
