import { SluiceError, type Clock, type Logger, type Metrics, type Position } from '../../api/index.ts';
import { METRIC } from '../../telemetry/index.ts';
import { topicChanged } from '../topic-changed.ts';
import type { CommitRequest, SubscribeOptions, TopicDescription, TopicLog, TopicSubscription } from '../topic-log.ts';
import type { FileSystem } from './file-system.ts';
import { GroupCommit, type Committed } from './group-commit.ts';
import { Journal } from './journal.ts';
import type { SinkState } from './journal-frame.ts';
import { corruption } from './log-errors.ts';
import type { EmbeddedLogState, Fault, PipelineLogState, TopicLogState } from './log-state.ts';
import { Marks } from './marks.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { PartitionReader } from './partition-reader.ts';
import { partitionFolder } from './paths.ts';
import { retentionFloor } from './retention-floors.ts';
import { SegmentFiles } from './segment-files.ts';
import { EmbeddedSubscription } from './subscription.ts';
import { incarnationOf } from './topic-file.ts';
import { TopicWatch } from './topic-watch.ts';
import { TopicWriter } from './topic-writer.ts';

const RETENTION_EVERY_MS = 60_000;

export interface EmbeddedLogOptions {
  readonly state: EmbeddedLogState;
  readonly pipeline: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly fileSystem?: FileSystem;
}

/** What an operator may do with a topic, beside what a pipeline does. */
export interface EmbeddedTopicLog extends TopicLog {
  /** What is committed from now on can be told from what was before: resolves with the offset between the two. Throws `TOPIC_UNKNOWN`. */
  divide(topic: string, partition: number): Promise<number>;
  /** Gives up the records below an offset that `divide` gave. */
  giveUp(topic: string, partition: number, before: number): Promise<void>;
}

/** The log of one pipeline, in the thread that runs it. Throws `LOG_CORRUPT`, or `TOPIC_CHANGED` when its topics are not what its plan says. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedTopicLog> {
  const { state, pipeline, fileSystem = nodeFileSystem } = options;
  const number = state.pipelines.findIndex((one) => one.pipeline === pipeline);
  const own = state.pipelines[number];
  if (own === undefined)
    throw new SluiceError('LOG_CLOSED', `opening the log of pipeline "${pipeline}": it is unknown`);
  throwFault(own.fault);
  const marks = new Marks(state.shared, state.counts);
  if (!marks.take(number)) throw new SluiceError('LOG_CLOSED', `opening the log of pipeline "${pipeline}": it is open`);
  const giveBack = (): void => {
    marks.giveBack(number);
  };
  let journal: Journal | null = null;
  const writers = new Map<string, TopicWriter>();
  try {
    journal = await Journal.recover({ fileSystem, dataDir: state.dataDir, pipeline });
    if (journal === null) throw corruption(`the journal of pipeline "${pipeline}"`, 'it is missing');
    for (const topic of state.topics) {
      if (topic.owner !== pipeline || topic.retention === null || topic.fault !== null) continue;
      const floor = (partition: number): number => retentionFloor(state, marks, topic.name, partition);
      const { dataDir, limits } = state;
      const { state: saved } = journal;
      writers.set(topic.name, await TopicWriter.open({ fileSystem, dataDir, topic, journal: saved, limits, floor }));
    }
    return new EmbeddedLog({ ...options, fileSystem, own, marks, journal, writers, giveBack });
  } catch (error) {
    await journal?.close();
    giveBack();
    throw error;
  }
}

interface OpenedLog extends EmbeddedLogOptions {
  readonly fileSystem: FileSystem;
  readonly own: PipelineLogState;
  readonly marks: Marks;
  readonly journal: Journal;
  readonly writers: ReadonlyMap<string, TopicWriter>;
  readonly giveBack: () => void;
}

class EmbeddedLog implements EmbeddedTopicLog {
  readonly partitionsFailApart = false;
  readonly #options: OpenedLog;
  readonly #commits: GroupCommit;
  readonly #subscriptions = new Set<EmbeddedSubscription>();
  readonly #watches = new Map<string, TopicWatch>();
  readonly #closing = new AbortController();
  readonly #retaining: Promise<void>;
  #closed: Promise<void> | null = null;

  constructor(options: OpenedLog) {
    this.#options = options;
    const { journal, writers, state, clock, log } = options;
    this.#commits = new GroupCommit({
      journal,
      topics: writers,
      journalBytes: state.limits.journalBytes,
      clock,
      log,
      onCommitted: (commit) => {
        this.#publish(commit);
      },
    });
    this.#retaining = this.#retain();
  }

  get accepting(): boolean {
    if (!this.#commits.accepting) return false;
    for (const { topic, hasRoom } of this.#options.writers.values())
      if (topic.retention?.kind === 'topic' && !hasRoom) return false;
    return true;
  }

  describe(topic: string): TopicDescription {
    const { name, id, partitions } = this.#topic(topic);
    return { name, incarnation: incarnationOf(id), partitions, maxBatchBytes: Infinity };
  }

  async commit(request: CommitRequest): Promise<void> {
    for (const { topic, partition } of request.batches ?? []) this.#checkTarget(topic, partition);
    await this.#commits.commit(request);
  }

  positions(source: string): Promise<ReadonlyMap<string, Position>> {
    return Promise.resolve(new Map(this.#options.journal.state.positions.get(source)));
  }

  dedupeIds(source: string): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map(this.#options.journal.state.dedupe.get(source)));
  }

  async subscribe({
    sink,
    topic: name,
    start,
    keyed = false,
    pool,
    fetchBytes,
  }: SubscribeOptions): Promise<TopicSubscription> {
    if (this.#closed !== null) throw new SluiceError('LOG_CLOSED', `subscribing to topic "${name}": the log is closed`);
    const topic = this.#topic(name);
    throwFault(topic.fault);
    if (keyed) this.#holdVersions(sink, topic);
    const saved = await this.#startingState(sink, topic, start);
    const { fileSystem, state, marks } = this.#options;
    const files = new SegmentFiles(fileSystem);
    const subscription = new EmbeddedSubscription({
      topic: name,
      incarnation: incarnationOf(topic.id),
      slot: topic.slot,
      committed: saved.next,
      reset: saved.reset,
      readers: saved.next.map((_, partition) => {
        return new PartitionReader({ fileSystem, files, folder: partitionFolder(state.dataDir, name, partition) });
      }),
      files,
      pool,
      fetchBytes,
      marks,
      watch: this.#watch(topic),
      commit: (offsets) =>
        this.#commits.commit({ offsets: offsets.map(({ partition, next }) => [sink, partition, next] as const) }),
      onClosed: (closed) => this.#subscriptions.delete(closed),
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async divide(topic: string, partition: number): Promise<number> {
    this.#checkTarget(topic, partition);
    await this.#commits.commit({ rolls: { topic, partition } });
    return this.#options.marks.end(this.#topic(topic).slot + partition);
  }

  async giveUp(topic: string, partition: number, before: number): Promise<void> {
    this.#checkTarget(topic, partition);
    await this.#commits.commit({ starts: { topic, partition, start: before } });
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const { journal, writers, giveBack } = this.#options;
    try {
      this.#closing.abort(new SluiceError('LOG_CLOSED', 'waiting: the log is closed'));
      await this.#retaining;
      await this.#commits.close();
      await Promise.all([...this.#subscriptions].map((subscription) => subscription.abort()));
      for (const watch of this.#watches.values()) watch.close();
      for (const writer of writers.values()) await writer.close();
      await journal.close();
    } finally {
      giveBack();
    }
  }

  #topic(name: string): TopicLogState {
    const topic = this.#options.state.topics.find((one) => one.name === name);
    if (topic === undefined)
      throw new SluiceError('TOPIC_UNKNOWN', `describing topic "${name}": no pipeline has written it`);
    return topic;
  }

  #checkTarget(topic: string, partition: number): void {
    const writer = this.#options.writers.get(topic);
    if (writer === undefined)
      throw new SluiceError('TOPIC_UNKNOWN', `writing to topic "${topic}": this pipeline does not own it`);
    if (writer.partitions[partition] === undefined)
      throw new SluiceError('TOPIC_UNKNOWN', `writing to topic "${topic}": it has no partition ${partition}`);
  }

  #watch(topic: TopicLogState): TopicWatch {
    const known = this.#watches.get(topic.name);
    if (known !== undefined) return known;
    const watch = new TopicWatch(this.#options.marks, this.#options.state.topics.indexOf(topic));
    this.#watches.set(topic.name, watch);
    return watch;
  }

  /** Where a sink goes on. A state that is new, or that had to be changed, is saved before anything is read. */
  /** Throws `TOPIC_CHANGED` where a sink would begin anew, or go on with other partitions. */
  #holdVersions(sink: string, topic: TopicLogState): void {
    const saved = this.#options.journal.state.sinks.get(sink);
    if (saved === undefined) return;
    const { name, id, partitions } = topic;
    if (saved.id !== id) throw topicChanged(name, 'it is another one than the sink has read so far');
    const had = saved.next.length;
    if (had !== partitions) throw topicChanged(name, `it had ${had} partitions and has ${partitions}`);
    const ends = this.#offsets(topic, 'latest');
    if (saved.next.some((next, partition) => next > ends[partition]!))
      throw topicChanged(name, 'it ends before what was read of it');
  }

  async #startingState(sink: string, topic: TopicLogState, start: 'earliest' | 'latest'): Promise<SinkState> {
    const { journal, log } = this.#options;
    const saved = journal.state.sinks.get(sink);
    if (saved === undefined) return this.#saveState(sink, topic, this.#offsets(topic, start));
    if (saved.id !== topic.id) {
      log.warn(
        { sink, topic: topic.name, before: saved.topic },
        'topic of the sink is another one than before, reading it from its begin under new ids',
      );
      return this.#saveState(sink, topic, this.#offsets(topic, 'earliest'));
    }
    const ends = this.#offsets(topic, 'latest');
    const next = ends.map((end, partition) => Math.min(end, saved.next[partition] ?? 0));
    const isCutOff = next.some((offset, partition) => offset < (saved.next[partition] ?? 0));
    if (isCutOff) {
      log.warn({ sink, topic: topic.name }, 'log ends before the saved offset, going on at its end');
      // A sink whose target remembers more than the log has must let go of it.
      return this.#saveState(sink, topic, next, 1);
    }
    return next.length === saved.next.length ? saved : this.#saveState(sink, topic, next);
  }

  async #saveState(sink: string, topic: TopicLogState, next: readonly number[], resets = 0): Promise<SinkState> {
    const { journal } = this.#options;
    const reset = journal.state.resetOf(sink) + resets;
    const state: SinkState = { topic: topic.name, id: topic.id, next, reset };
    await this.#commits.commit({ sinks: [[sink, state]] });
    return state;
  }

  #offsets({ slot, partitions }: TopicLogState, at: 'earliest' | 'latest'): number[] {
    const { marks } = this.#options;
    return Array.from({ length: partitions }, (_, partition) =>
      at === 'earliest' ? marks.start(slot + partition) : marks.end(slot + partition),
    );
  }

  /** Only now: before the frame was durable nobody could rely on it. */
  #publish({ ends, sinks, bytes }: Committed): void {
    const { state, own, marks, journal, metrics } = this.#options;
    const moved = new Set<number>();
    for (const [topicId, partition, end] of ends) {
      const number = state.topics.findIndex(({ id }) => id === topicId);
      marks.setPartition(state.topics[number]!.slot + partition, end);
      moved.add(number);
    }
    for (const number of moved) marks.announce(number);
    for (const sink of sinks) publishFloors(state, own, marks, [sink, journal.state.sinks.get(sink)]);
    metrics.count(METRIC.logCommits.name, 1);
    if (bytes > 0) metrics.count(METRIC.logBytes.name, bytes);
  }

  async #retain(): Promise<void> {
    const { clock, log } = this.#options;
    for (;;) {
      try {
        await clock.sleep(RETENTION_EVERY_MS, this.#closing.signal);
      } catch {
        return;
      }
      await this.#commits.commit({ expires: true }).catch((error: unknown) => {
        log.warn({ cause: error }, 'giving up expired records did not work, trying again');
      });
    }
  }
}

/** What a sink of this run has saved, for the retention of the topics that it reads. */
export function publishFloors(
  { topics }: EmbeddedLogState,
  { sinks }: PipelineLogState,
  marks: Marks,
  [sink, saved]: readonly [string, SinkState | undefined],
): void {
  const own = sinks.find((one) => one.sink === sink);
  const topic = topics.find(({ name }) => name === own?.topic);
  if (own === undefined || topic === undefined) return;
  for (let partition = 0; partition < topic.partitions; partition++) {
    const isSaved = saved?.id === topic.id;
    marks.setFloor(own.slot + partition, isSaved ? (saved.next[partition] ?? 0) : null);
  }
}

function throwFault(fault: Fault | null): void {
  if (fault !== null) throw new SluiceError(fault.code, fault.message);
}
