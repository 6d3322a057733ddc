import { pathToFileURL } from 'node:url';
import type { JobBatch } from 'sluice/api';
import type { SinkOptions } from './options.ts';

type Application = SinkOptions['application'];

/** As it was given: a path of this machine, or a URL. */
export function applicationFile({ path, url }: Application): string {
  return path ?? url ?? '';
}

/** The same as Spark takes it from anywhere. */
export function applicationUrl({ path, url }: Application): string {
  return path === undefined ? (url ?? '') : pathToFileURL(path).href.replace('file:///', 'file:/');
}

export function isPython(file: string): boolean {
  return /\.(py|zip|egg)$/i.test(file);
}

/** What the job is told of its batch, behind its own arguments. None of it comes from a record. */
export function batchArguments(batch: JobBatch): string[] {
  return [
    '--batch-id',
    batch.id,
    '--topic',
    batch.topic,
    '--starting-offsets',
    offsetsJson(batch, 'from'),
    '--ending-offsets',
    offsetsJson(batch, 'to'),
    ...(batch.folder === null ? [] : ['--input', batch.folder]),
  ];
}

/** As the options `startingOffsets` and `endingOffsets` of Spark's Kafka source want it: every partition of the topic, the end exclusive. */
function offsetsJson({ topic, ranges }: JobBatch, side: 'from' | 'to'): string {
  return JSON.stringify({ [topic]: Object.fromEntries(ranges.map((range) => [range.partition, range[side]])) });
}

/** Properties as Spark takes them: text. */
export function propertiesOf({ properties }: Pick<SinkOptions, 'properties'>): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)]));
}
