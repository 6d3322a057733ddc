import { createHash } from 'node:crypto';
import type { JobBatch, JobHandle, JobRange, Json, Position } from '../../api/index.ts';
import { jobIntents, type SavedView, type TopicLog } from '../../log/index.ts';

const VERSION = 1;
/** One batch at a time for each sink. */
const PARTITION = 'batch';

/** What is saved of a batch before anything of it is begun, until its offsets are. */
export interface Intent {
  readonly id: string;
  readonly topic: string;
  readonly incarnation: string;
  readonly ranges: readonly JobRange[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Jobs of it that have failed. */
  readonly failures: number;
  /** When the last job was asked for; null when nobody was. */
  readonly submittedAt: number | null;
  /** Null while none is known: none was asked for, or the answer was lost. */
  readonly handle: JobHandle | null;
  /** Why the last one failed. */
  readonly reason: string | null;
}

/** Whose batch it is. `reset` counts an operator's resets: what is processed again on purpose is another batch. */
export interface BatchOwner {
  readonly group: string;
  readonly pipeline: string;
  readonly sink: string;
  readonly reset: number;
}

/** What the ids of all batches of a sink begin with. */
export function batchPrefix({ pipeline, sink }: Pick<BatchOwner, 'pipeline' | 'sink'>): string {
  return `${pipeline}.${sink}.`;
}

/** Ids hang on nothing but what is in the batch: whoever closes the same ranges gives them the same id. */
export function newIntent(
  owner: BatchOwner,
  { topic, incarnation, ranges }: Pick<Intent, 'topic' | 'incarnation' | 'ranges'>,
  createdAt: number,
): Intent {
  const identity = [owner.group, owner.pipeline, owner.sink, owner.reset, topic, incarnation, ranges];
  const digest = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  const id = `${batchPrefix(owner)}${digest}`;
  return { id, topic, incarnation, ranges, createdAt, failures: 0, submittedAt: null, handle: null, reason: null };
}

export function offsetsIn(ranges: readonly JobRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

export function batchOf(intent: Intent, folder: string | null): JobBatch {
  const { id, topic, incarnation, ranges, failures } = intent;
  return { id, topic, incarnation, ranges, offsets: offsetsIn(ranges), attempt: failures + 1, folder };
}

/** Null for what this build did not write. */
function readIntent(position: Position | undefined): Intent | null {
  if (typeof position !== 'object' || position === null || Array.isArray(position)) return null;
  const { v, ...intent } = position as unknown as { readonly v: Json } & Intent;
  return v === VERSION && Array.isArray(intent.ranges) ? intent : null;
}

/** The batch that a sink is at, as somebody from outside sees it; null when it is at none. */
export function savedIntent(
  { pipelines }: SavedView,
  { pipeline, sink }: Pick<BatchOwner, 'pipeline' | 'sink'>,
): Intent | null {
  const saved = pipelines.find((one) => one.pipeline === pipeline)?.sources ?? [];
  return readIntent(saved.find((one) => one.source === jobIntents(sink) && one.partition === PARTITION)?.position);
}

/** Where the intent of a sink is kept: among the positions of its pipeline, fenced on Kafka as those of a source that runs on one hub at a time. */
export class IntentStore {
  readonly #log: TopicLog;
  readonly #source: string;

  constructor(log: TopicLog, sink: string) {
    this.#log = log;
    this.#source = jobIntents(sink);
  }

  /** The first call of a life takes the batch over: another hub's next save is refused. */
  async load(): Promise<Intent | null> {
    return readIntent((await this.#log.positions(this.#source)).get(PARTITION));
  }

  async save(intent: Intent): Promise<void> {
    const position = { v: VERSION, ...intent } as unknown as Position;
    await this.#log.commit({ source: this.#source, positions: [[this.#source, PARTITION, position]] });
  }

  async clear(): Promise<void> {
    await this.#log.commit({ source: this.#source, positions: [[this.#source, PARTITION, null]] });
  }
}
