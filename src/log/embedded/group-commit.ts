import { SluiceError, type Clock, type Logger } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import type { CommitRequest } from '../topic-log.ts';
import type { Journal, FrameContent } from './journal.ts';
import type { PartitionEnd } from './journal-frame.ts';
import { logError } from './log-errors.ts';
import type { PartitionWriter } from './partition-writer.ts';
import type { TopicWriter } from './topic-writer.ts';

/** So much is gathered into one commit at most; what comes later waits for the next. */
const MAX_GROUP_BYTES = 64 * 1024 * 1024;
const BACK_OFF = { minMs: 100, maxMs: 5000 };
/** How often a frame that may or may not be on the disk is cut back before the log is given up: only a new start can tell then. */
const CUT_ATTEMPTS = 5;

/** What one pipeline wants durable: from outside, or of its own. */
export interface LogRequest extends CommitRequest, Pick<FrameContent, 'offsets' | 'sinks'> {
  /** Gives up what is older than the retention of its topic. */
  readonly expires?: boolean;
  /** What this topic partition gets next goes into a new file. */
  readonly rolls?: PartitionName;
  /** Records of this topic partition below `start`, the begin of a file, are given up. */
  readonly starts?: PartitionName & { readonly start: number };
}

interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

export interface GroupCommitOptions {
  readonly journal: Journal;
  readonly topics: ReadonlyMap<string, TopicWriter>;
  readonly journalBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** A group is durable, the journal's state has it: publish it. */
  readonly onCommitted: (commit: Committed) => void;
}

export interface Committed {
  readonly ends: readonly (readonly [topicId: string, partition: number, end: PartitionEnd])[];
  /** Those whose saved state changed. */
  readonly sinks: ReadonlySet<string>;
  /** Of all batches. */
  readonly bytes: number;
}

interface Waiting {
  readonly request: LogRequest;
  readonly resolve: () => void;
  readonly reject: (error: SluiceError) => void;
}

/** Something failed: nothing may be appended before what it left is taken away. */
interface Trouble {
  readonly error: SluiceError;
  /** The disk lost what it was given: a new generation comes first. */
  readonly renews: boolean;
}

/**
 * Makes requests durable in the order of the calls, all that wait in one go: segments first, then one frame of the journal. While a group is on its way the
 * next one gathers.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #queue: Waiting[] = [];
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #trouble: Trouble | null = null;
  #isClosed = false;
  #failures = 0;
  /** Monotonic; batches are refused until then. */
  #refusesUntil = 0;
  #refusal: SluiceError | null = null;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** False while a disk that failed is left alone. */
  get accepting(): boolean {
    return !this.#isClosed && this.#options.clock.monotonic() >= this.#refusesUntil;
  }

  commit(request: LogRequest): Promise<void> {
    if (this.#isClosed) return Promise.reject(new SluiceError('LOG_CLOSED', 'committing: the log is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything that was asked for before is settled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort(new SluiceError('LOG_CLOSED', 'waiting for the disk: the log is closed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    // Who calls in the same turn shares the commit.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      const refused = await this.#refuseWhileTroubled(group);
      if (!refused) await this.#commitGroup(group);
    }
    this.#running = null;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || bytes < MAX_GROUP_BYTES))
      bytes += bytesOf(this.#queue[count++]!.request);
    return this.#queue.splice(0, count);
  }

  /** True when the group was rejected: the disk is left alone for a while, or what failed cannot be taken away yet. */
  async #refuseWhileTroubled(group: readonly Waiting[]): Promise<boolean> {
    if (this.#trouble === null) return false;
    if (this.accepting && (await this.#repair())) return false;
    for (const { reject } of group) reject(this.#trouble.error);
    return true;
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    const accepted = group.filter((waiting) => this.#admit(waiting));
    const staged = await this.#stage(accepted);
    if (staged === null) return;
    const { content, writers, requests } = staged;
    const settle = (): void => {
      for (const { resolve } of requests) resolve();
    };
    if (Object.keys(content).length === 0) {
      settle();
      return;
    }
    try {
      await writeAll(writers);
      crashPoint('segment-synced');
    } catch (error) {
      await this.#fail(requests, writers, logError(error, 'writing segments'), false);
      return;
    }
    try {
      await this.#options.journal.append(content);
    } catch (error) {
      await this.#fail(requests, writers, logError(error, 'writing the journal'), true);
      return;
    }
    for (const writer of writers) writer.commit();
    this.#publish(content, requests);
    settle();
    await Promise.all(writers.map((writer) => writer.tidy()));
    await this.#compact();
  }

  /** Rejects what there is no room for: the disk is left alone, or a topic is full. */
  #admit({ request, reject }: Waiting): boolean {
    const byTopic = new Map<string, number>();
    for (const { topic, bytes } of request.batches ?? []) byTopic.set(topic, (byTopic.get(topic) ?? 0) + bytes.length);
    if (byTopic.size === 0) return true;
    if (this.#refusal !== null && !this.accepting) {
      reject(this.#refusal);
      return false;
    }
    for (const [topic, bytes] of byTopic) {
      const refusal = this.#options.topics.get(topic)!.refusal(bytes);
      if (refusal === null) continue;
      reject(refusal);
      return false;
    }
    return true;
  }

  /** Stamps offsets and gathers what the frame says. Null when it failed: everybody was told. */
  async #stage(
    requests: readonly Waiting[],
  ): Promise<{ content: FrameContent; writers: PartitionWriter[]; requests: readonly Waiting[] } | null> {
    const { topics, clock } = this.#options;
    try {
      await this.#stageRetention(requests, clock.now());
      for (const { request } of requests) {
        const { rolls, starts } = request;
        if (rolls !== undefined) topics.get(rolls.topic)!.partitions[rolls.partition]!.roll();
        for (const batch of request.batches ?? []) topics.get(batch.topic)!.stage(batch);
        if (starts !== undefined) topics.get(starts.topic)!.partitions[starts.partition]!.stageStart(starts.start);
      }
    } catch (error) {
      const writers = this.#stagedWriters();
      await this.#fail(requests, writers, logError(error, 'preparing a commit'), false);
      return null;
    }
    const ends = [...topics.values()].flatMap(({ topic, partitions }) =>
      partitions.flatMap((writer, partition) =>
        writer.hasStaged ? [[topic.id, partition, writer.staged] as const] : [],
      ),
    );
    const content = frameContent(ends, requests);
    return { content, writers: this.#stagedWriters(), requests };
  }

  async #stageRetention(requests: readonly Waiting[], now: number): Promise<void> {
    const { topics } = this.#options;
    const expires = requests.some(({ request }) => request.expires === true);
    for (const [name, writer] of topics) {
      if (expires) await writer.stageExpired(now);
      let bytes = 0;
      for (const { request } of requests)
        for (const batch of request.batches ?? []) if (batch.topic === name) bytes += batch.bytes.length;
      if (bytes > 0) writer.stageRoomFor(bytes);
    }
  }

  #stagedWriters(): PartitionWriter[] {
    return [...this.#options.topics.values()].flatMap(({ partitions }) =>
      partitions.filter((writer) => writer.hasStaged),
    );
  }

  #publish(content: FrameContent, requests: readonly Waiting[]): void {
    this.#failures = 0;
    this.#refusesUntil = 0;
    this.#refusal = null;
    this.#options.onCommitted({
      ends: content.ends ?? [],
      sinks: new Set([...(content.offsets ?? []), ...(content.sinks ?? [])].map(([sink]) => sink)),
      bytes: requests.reduce((sum, { request }) => sum + bytesOf(request), 0),
    });
  }

  /**
   * Cuts back, then tells. `isInDoubt`: the frame may be on the disk, whole; its commit is neither done nor refused before that is over.
   */
  async #fail(
    requests: readonly Waiting[],
    writers: readonly PartitionWriter[],
    error: SluiceError,
    isInDoubt: boolean,
  ): Promise<void> {
    const { log, clock } = this.#options;
    // Whatever call failed may have been the fdatasync: nothing is taken for granted but the disk being full.
    const renews = error.code !== 'LOG_FULL';
    this.#trouble = { error, renews };
    if (renews) for (const writer of writers) writer.suspect();
    this.#wait();
    log.warn({ cause: error, refusedMs: this.#refusesUntil - clock.monotonic() }, 'commit failed, cutting back');
    let isCut = await this.#repair();
    for (let attempt = 1; !isCut && isInDoubt && attempt < CUT_ATTEMPTS && !this.#isClosed; attempt++) {
      await clock.sleep(BACK_OFF.minMs * 2 ** attempt, this.#closing.signal).catch(() => undefined);
      isCut = await this.#repair();
    }
    const answer = isCut || !isInDoubt ? error : this.#giveUp(error);
    for (const { reject } of requests) reject(answer);
  }

  /** Neither done nor refused: nothing that this log could still do would tell. */
  #giveUp(cause: SluiceError): SluiceError {
    const error = new SluiceError('LOG_CLOSED', 'cutting back a commit of unknown outcome: the log is given up', {
      cause,
    });
    this.#isClosed = true;
    for (const { reject } of this.#queue.splice(0)) reject(error);
    return error;
  }

  /** Waits longer from failure to failure. A commit that works makes it short again. */
  #wait(): void {
    const { clock } = this.#options;
    const delayMs = Math.min(BACK_OFF.maxMs, BACK_OFF.minMs * 2 ** Math.min(this.#failures++, 10));
    this.#refusesUntil = clock.monotonic() + delayMs;
    this.#refusal = this.#trouble?.error ?? null;
  }

  /** Takes away what a failed commit left. False when that did not work either. */
  async #repair(): Promise<boolean> {
    const { journal, log } = this.#options;
    const trouble = this.#trouble;
    if (trouble === null) return true;
    try {
      for (const writer of this.#stagedWriters()) await writer.rollBack();
      if (trouble.renews) await journal.renew();
      else await journal.cutBack();
      this.#trouble = null;
      return true;
    } catch (error) {
      log.warn({ cause: error }, 'cutting back what a failed commit left did not work, trying again');
      // Who could not cut cannot be asked to append.
      this.#trouble = { error: trouble.error, renews: trouble.renews || logError(error, '').code !== 'LOG_FULL' };
      this.#wait();
      return false;
    }
  }

  /** A failure costs nothing yet but room: appending goes on, unless the generation was begun. */
  async #compact(): Promise<void> {
    const { journal, journalBytes, log } = this.#options;
    if (!journal.isLargerThan(journalBytes)) return;
    try {
      await journal.renew();
    } catch (error) {
      const failure = logError(error, 'compacting the journal');
      log.warn({ cause: failure }, 'compacting the journal did not work, trying again');
      this.#trouble = { error: failure, renews: true };
    }
  }
}

function bytesOf({ batches }: LogRequest): number {
  return batches === undefined ? 0 : batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function frameContent(ends: Committed['ends'], requests: readonly Waiting[]): FrameContent {
  const positions = requests.flatMap(({ request }) => request.positions ?? []);
  const dedupe = requests.flatMap(({ request }) => request.dedupe ?? []);
  const offsets = requests.flatMap(({ request }) => request.offsets ?? []);
  const sinks = requests.flatMap(({ request }) => request.sinks ?? []);
  return {
    ...(ends.length > 0 ? { ends } : {}),
    ...(positions.length > 0 ? { positions } : {}),
    ...(dedupe.length > 0 ? { dedupe: dedupe.map(({ source, id, atMs }) => [source, id, atMs] as const) } : {}),
    ...(offsets.length > 0 ? { offsets } : {}),
    ...(sinks.length > 0 ? { sinks } : {}),
  };
}

/** All of them end before anything is said: what is still being written cannot be cut back. */
async function writeAll(writers: readonly PartitionWriter[]): Promise<void> {
  const results = await Promise.allSettled(writers.map((writer) => writer.write()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
