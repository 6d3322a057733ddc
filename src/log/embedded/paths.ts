import { join } from 'node:path';
import { SluiceError } from '../../api/index.ts';

const OFFSET_DIGITS = 20;
const GENERATION_DIGITS = 10;

export const SEGMENT_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';

/** Where everything lies in a data folder. */
export function topicsFolder(dataDir: string): string {
  return join(dataDir, 'topics');
}

export function topicFolder(dataDir: string, topic: string): string {
  return join(topicsFolder(dataDir), safeName(topic));
}

export function partitionFolder(dataDir: string, topic: string, partition: number): string {
  return join(topicFolder(dataDir, topic), String(partition));
}

export function journalsFolder(dataDir: string): string {
  return join(dataDir, 'journals');
}

export function journalFolder(dataDir: string, pipeline: string): string {
  return join(journalsFolder(dataDir), safeName(pipeline));
}

/** Kafka's name: the offset of the segment's first record. */
export function segmentName(base: number, suffix: string = SEGMENT_SUFFIX): string {
  return `${String(base).padStart(OFFSET_DIGITS, '0')}${suffix}`;
}

/** The base offset of a segment file; null for any other name. */
export function parseSegmentName(name: string, suffix: string = SEGMENT_SUFFIX): number | null {
  const match = /^(\d{20})(\.[a-z]+)$/.exec(name);
  return match?.[2] === suffix ? Number(match[1]) : null;
}

export function generationName(generation: number, kind: 'snapshot' | 'journal'): string {
  return `${String(generation).padStart(GENERATION_DIGITS, '0')}.${kind}`;
}

export function parseGenerationName(name: string): { generation: number; kind: 'snapshot' | 'journal' } | null {
  const match = /^(\d{10})\.(snapshot|journal)$/.exec(name);
  return match === null ? null : { generation: Number(match[1]), kind: match[2] as 'snapshot' | 'journal' };
}

/** Names of topics and pipelines become folders: they may not climb out of the data folder. */
function safeName(name: string): string {
  if (isSafeName(name)) return name;
  throw new SluiceError('TOPIC_UNKNOWN', `using the name ${JSON.stringify(name)} for a folder`);
}

export function isSafeName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
}
