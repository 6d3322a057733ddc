import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from 'sluice/api';

/** What both logs begin with. */
const VERSION = 'v1';

export interface QueryProgress {
  /** The last micro-batch that is committed. */
  readonly batch: number;
  /** When, in milliseconds since the epoch. */
  readonly committedAt: number;
  /** By partition of the topic: the offset after the last that is done. */
  readonly next: ReadonlyMap<number, number>;
}

/**
 * How far a query of Structured Streaming has come: the offsets of the last micro-batch that its checkpoint folder has a commit of (`commits/N`, `offsets/N`: a version, metadata, and a line of JSON for
 * each source). Null before the first. Rejects with `SINK_UNAVAILABLE`, or `SINK_BLOCKED` for a folder that is none of a query that reads the topic.
 */
export async function readProgress(folder: string, topic: string): Promise<QueryProgress | null> {
  const doing = `reading the checkpoint "${folder}"`;
  const batch = await lastCommit(join(folder, 'commits'), doing);
  if (batch === null) return null;
  try {
    const text = await readFile(join(folder, 'offsets', String(batch)), 'utf8');
    const { mtimeMs } = await stat(join(folder, 'commits', String(batch)));
    return { batch, committedAt: mtimeMs, next: offsetsOf(text, { topic, doing }) };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('SINK_UNAVAILABLE', doing, { retryable: true, cause: error });
  }
}

/** Files under way have other names. */
async function lastCommit(folder: string, doing: string): Promise<number | null> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new SluiceError('SINK_UNAVAILABLE', doing, { retryable: true, cause: error });
  });
  const batches = names.filter((name) => /^\d+$/.test(name)).map(Number);
  return batches.length === 0 ? null : Math.max(...batches);
}

function offsetsOf(text: string, { topic, doing }: { topic: string; doing: string }): Map<number, number> {
  const [version, , ...sources] = text.split('\n');
  if (version !== VERSION)
    throw new SluiceError('SINK_BLOCKED', `${doing}: its offsets are of version "${version!}", not ${VERSION}`);
  const known = sources.map(jsonOf).find((source) => Object.hasOwn(source, topic))?.[topic];
  if (known === undefined)
    throw new SluiceError('SINK_BLOCKED', `${doing}: its query does not read the topic "${topic}"`);
  return new Map(
    Object.entries(known as Readonly<Record<string, number>>).map(([partition, next]) => [Number(partition), next]),
  );
}

/** A source that has nothing yet is a dash, and the offsets of other kinds of source are no objects. */
function jsonOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
