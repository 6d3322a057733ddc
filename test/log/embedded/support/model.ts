import type { Position } from '../../../../src/api/index.ts';
import type { DataFolderView, TopicLog } from '../../../../src/log/index.ts';
import { RecordView } from '../../../../src/record/index.ts';
import { batchOf, codeOf } from '../../../../src/testing/topic-log-reader.ts';

export interface ModelRequest {
  readonly batches: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly values: readonly string[];
  }[];
  readonly positions: readonly (readonly [source: string, partition: string, position: Position | null])[];
  readonly dedupe: readonly { readonly source: string; readonly id: string; readonly atMs: number }[];
}

interface Tried extends ModelRequest {
  outcome: 'waiting' | 'acknowledged' | 'rejected';
}

/** What a log holds, as far as its readers can tell. Keys are `topic/partition`, `source/partition`, `source/id`, `sink@topic/partition`. */
interface Content {
  readonly records: Record<string, readonly string[]>;
  readonly positions: Record<string, Position>;
  readonly ids: Record<string, number>;
}

export interface Observed extends Content {
  /** The first offset that is still there; what lies before is missing in `records`. */
  readonly starts: Record<string, number>;
  readonly offsets: Record<string, number>;
}

/** What was asked of the log of a pipeline and what it answered; and what may therefore be there after the process is gone. */
export class LogModel {
  #certain: Content = { records: {}, positions: {}, ids: {} };
  #tried: Tried[] = [];
  /** The offsets that each sink asked to save, the acknowledged one first. */
  readonly #offsets = new Map<string, number[]>();

  /** Knows the same, and learns on its own. */
  copy(): LogModel {
    const copy = new LogModel();
    copy.#certain = this.#certain;
    copy.#tried = this.#tried.map((tried) => ({ ...tried }));
    for (const [key, asked] of this.#offsets) copy.#offsets.set(key, [...asked]);
    return copy;
  }

  /** Resolves when it is settled; what is answered after `gone` nobody hears. */
  async commit(log: TopicLog, request: ModelRequest, gone: AbortSignal): Promise<void> {
    const tried: Tried = { ...request, outcome: 'waiting' };
    this.#tried.push(tried);
    const { positions, dedupe } = request;
    const batches = request.batches.map(({ topic, partition, values }) => batchOf(topic, partition, values));
    try {
      await log.commit({ batches, positions, dedupe });
      if (!gone.aborted) tried.outcome = 'acknowledged';
    } catch (error) {
      // Whoever is answered so knows nothing, as if nobody had answered.
      if (!gone.aborted && codeOf(error) !== 'LOG_CLOSED') tried.outcome = 'rejected';
    } finally {
      // The buffers are the caller's again.
      if (!gone.aborted) for (const { bytes } of batches) bytes.fill(0xee);
    }
  }

  async saveOffset(
    save: () => Promise<void>,
    at: { sink: string; topic: string; partition: number; next: number },
    gone: AbortSignal,
  ) {
    const key = `${at.sink}@${at.topic}/${at.partition}`;
    // A sink that is new begins at 0: nothing is given up before it has saved where it is.
    const asked = this.#offsets.get(key) ?? [0];
    this.#offsets.set(key, asked);
    asked.push(at.next);
    await save();
    if (!gone.aborted) asked.splice(0, asked.indexOf(at.next));
  }

  /** Of a partition, everything that is acknowledged. */
  acknowledged(topic: string, partition: number): readonly string[] {
    const known = this.#tried.filter(({ outcome }) => outcome === 'acknowledged');
    return known.reduce(apply, this.#certain).records[`${topic}/${partition}`] ?? [];
  }

  /** Every commit was answered: exactly what is acknowledged is there. */
  check(observed: Observed): void {
    const unanswered = this.#tried.filter(({ outcome }) => outcome === 'waiting');
    expect(unanswered).toEqual([]);
    this.recover(observed);
  }

  /** After a new start: what is there is what was acknowledged, or that and the first of the requests that nobody answered. That is certain from now on. */
  recover(observed: Observed): void {
    const possible = this.#tried.filter(({ outcome }) => outcome !== 'rejected');
    const lastAcknowledged = possible.findLastIndex(({ outcome }) => outcome === 'acknowledged');
    let content = possible.slice(0, lastAcknowledged + 1).reduce(apply, this.#certain);
    const least = content;
    const rest = possible.slice(lastAcknowledged + 1);
    while (!isSeen(content, observed)) {
      const next = rest.shift();
      // Shows what differs.
      if (next === undefined) expect(observed).toEqual(cut(least, observed));
      content = apply(content, next!);
    }
    this.#certain = content;
    this.#tried = [];
    this.#recoverOffsets(observed);
  }

  #recoverOffsets({ offsets, starts, records }: Observed): void {
    for (const [key, asked] of this.#offsets) {
      expect(asked).toContain(offsets[key]);
      this.#offsets.set(key, [offsets[key]!]);
    }
    for (const [key, next] of Object.entries(offsets)) {
      const [, topic, partition] = /^.*@(.*)\/(\d+)$/.exec(key) ?? [];
      const place = `${topic}/${partition}`;
      expect({ key, next, isPassed: next < (starts[place] ?? 0) }).toEqual({ key, next, isPassed: false });
      expect(next).toBeLessThanOrEqual((starts[place] ?? 0) + (records[place]?.length ?? 0));
    }
  }
}

function apply(before: Content, { batches, positions, dedupe }: ModelRequest): Content {
  const after = { records: { ...before.records }, positions: { ...before.positions }, ids: { ...before.ids } };
  for (const { topic, partition, values } of batches) {
    const key = `${topic}/${partition}`;
    after.records[key] = [...(after.records[key] ?? []), ...values];
  }
  for (const [source, partition, position] of positions) {
    const key = `${source}/${partition}`;
    if (position === null) Reflect.deleteProperty(after.positions, key);
    else after.positions[key] = position;
  }
  for (const { source, id, atMs } of dedupe) after.ids[`${source}/${id}`] = atMs;
  return after;
}

/** Without what retention took, which is for retention's own checks. */
function cut({ records, positions, ids }: Content, { starts, offsets }: Observed): Observed {
  const left = Object.entries(records).map(([key, values]) => [key, values.slice(starts[key] ?? 0)] as const);
  const kept = Object.fromEntries(left.filter(([, values]) => values.length > 0));
  return { records: kept, positions, ids, starts, offsets };
}

function isSeen(content: Content, observed: Observed): boolean {
  return canonical(cut(content, observed)) === canonical(observed);
}

function canonical({ records, positions, ids }: Content): string {
  return JSON.stringify(
    [records, positions, ids].map((part) => Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
}

/** Everything of a pipeline, through the folder's view and the pipeline's own log. */
export async function observe(
  view: DataFolderView,
  log: TopicLog,
  { pipeline, sources }: { pipeline: string; sources: readonly string[] },
): Promise<Observed> {
  const records: Record<string, readonly string[]> = {};
  const starts: Record<string, number> = {};
  for (const topic of view.topics.filter(({ owner }) => owner === pipeline)) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      const key = `${topic.name}/${partition}`;
      const start = topic.starts[partition]!;
      const values = await readValues(view, topic.name, partition);
      expect({ key, end: topic.ends[partition] }).toEqual({ key, end: start + values.length });
      starts[key] = start;
      if (values.length > 0) records[key] = values;
    }
  }
  const positions: Record<string, Position> = {};
  const ids: Record<string, number> = {};
  for (const source of sources) {
    for (const [partition, position] of await log.positions(source)) positions[`${source}/${partition}`] = position;
    for (const [id, atMs] of await log.dedupeIds(source)) ids[`${source}/${id}`] = atMs;
  }
  const offsets: Record<string, number> = {};
  for (const { sink, topic, partition, next } of view.pipelines.find((one) => one.pipeline === pipeline)?.sinks ?? []) {
    offsets[`${sink}@${topic}/${partition}`] = next;
  }
  return { records, positions, ids, starts, offsets };
}

/** The values of all visible records, which must have the offsets from the start on, each once. */
export async function readValues(view: DataFolderView, topic: string, partition: number): Promise<string[]> {
  const start = view.topics.find(({ name }) => name === topic)!.starts[partition]!;
  const records = await readRecords(view, topic, partition);
  expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => start + index));
  return records.map(({ value }) => value);
}

/** All visible records, with gaps where some were given up. */
export async function readRecords(
  view: DataFolderView,
  topic: string,
  partition: number,
): Promise<{ offset: number; value: string }[]> {
  const found: { offset: number; value: string }[] = [];
  const records = new RecordView({ decode: (bytes) => bytes });
  const start = view.topics.find(({ name }) => name === topic)!.starts[partition]!;
  for await (const bytes of view.read(topic, partition)) {
    records.clear();
    records.addStored({ topic, partition, incarnation: 'AAAAAAAA' }, bytes, 0);
    for (let index = 0; index < records.count; index++) {
      if (records.offset(index) < start) continue;
      found.push({ offset: records.offset(index), value: Buffer.from(records.value(index)!).toString() });
    }
  }
  return found;
}
