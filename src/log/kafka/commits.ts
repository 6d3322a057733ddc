import type { Clock, SluiceError } from '../../api/index.ts';
import type { KafkaProducer } from '../../kafka/index.ts';
import type { CommitRequest, SealedBatch } from '../topic-log.ts';
import { sendAll, type CheckpointWriter } from './checkpoint-writer.ts';
import { DedupeIds } from './dedupe-ids.ts';
import { explainRefusal } from './explain-refusal.ts';
import type { SourceCheckpoints } from './source-checkpoints.ts';
import type { TopicTable } from './topic-table.ts';

const STUCK_MS = 5000;

/** What commits of one source share. */
export interface SourceLane {
  readonly source: string;
  readonly checkpoints: SourceCheckpoints;
  readonly writer: CheckpointWriter;
  /** Dead letters are written with the checkpoints. */
  readonly isFenced: boolean;
  /** By partition of which a position waits: resolves when the last request with one is answered, with what it was rejected with. */
  readonly tails: Map<string, Promise<SluiceError | null>>;
}

export interface CommitsOptions {
  readonly lanes: ReadonlyMap<string, SourceLane>;
  readonly deadLetterTopic: string | null;
  readonly producer: KafkaProducer;
  readonly topics: TopicTable;
  readonly clock: Clock;
  /** Of the log: ends everything. */
  readonly signal: AbortSignal;
  readonly onCommitted: (bytes: number) => void;
  readonly onFailed: (error: SluiceError) => void;
}

interface Turn {
  readonly lanes: readonly SourceLane[];
  /** What has to be answered first. */
  readonly before: ReadonlySet<Promise<SluiceError | null>>;
  readonly answer: (error: SluiceError | null) => void;
}

/** Writes requests in the order of the calls, and answers those that share a partition of a source's positions in that order. */
export class Commits {
  readonly dedupeIds = new DedupeIds();
  readonly #options: CommitsOptions;
  /** When they were called, oldest first. */
  readonly #unanswered = new Map<Promise<unknown>, number>();

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** The brokers have not answered for so long that whoever can refuse input better does. */
  get isStuck(): boolean {
    const { clock, producer } = this.#options;
    const [oldest] = this.#unanswered.values();
    return oldest !== undefined && producer.waitingFor !== null && clock.monotonic() - oldest > STUCK_MS;
  }

  /** Everything up to the first `await` runs within the call: that is what keeps the order. */
  commit(request: CommitRequest): Promise<void> {
    const lanes = this.#lanesOf(request);
    const places = this.#placesOf(request);
    const before = new Set(places.flatMap(({ tails, partition }) => tails.get(partition) ?? []));
    const { promise, resolve } = Promise.withResolvers<SluiceError | null>();
    for (const { tails, partition } of places) tails.set(partition, promise);
    const answer = (error: SluiceError | null): void => {
      this.#unanswered.delete(promise);
      for (const { tails, partition } of places) if (tails.get(partition) === promise) tails.delete(partition);
      resolve(error);
    };
    this.#unanswered.set(promise, this.#options.clock.monotonic());
    return this.#write(request, { lanes, before, answer });
  }

  /** Resolves when all that was called before is answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#unanswered.keys());
  }

  async #write(request: CommitRequest, { lanes, before, answer }: Turn): Promise<void> {
    const batches = request.batches ?? [];
    const letters = this.#lettersOf(request, lanes);
    let bytes = 0;
    for (const batch of batches) bytes += batch.bytes.length;
    try {
      this.#options.topics.assertTargets(batches);
      await sendAll(
        this.#options.producer,
        batches.filter((batch) => !letters.includes(batch)),
      );
      await afterThoseBefore(before);
      await Promise.all(lanes.map((lane) => saveIn(lane, { request, letters, bytes })));
      for (const id of request.dedupe ?? []) this.dedupeIds.add(id);
      this.#options.onCommitted(bytes);
      answer(null);
    } catch (thrown) {
      const error = await explainRefusal(thrown, batches, this.#options);
      this.#options.onFailed(error);
      answer(error);
      throw error;
    }
  }

  /** Dead letters of a source that only one hub may run: a hub that was replaced must not add to them. */
  #lettersOf({ batches = [] }: CommitRequest, lanes: readonly SourceLane[]): readonly SealedBatch[] {
    const { deadLetterTopic } = this.#options;
    return lanes.some(({ isFenced }) => isFenced) ? batches.filter(({ topic }) => topic === deadLetterTopic) : [];
  }

  #lanesOf({ source, positions = [], dedupe = [] }: CommitRequest): SourceLane[] {
    const names = new Set(positions.map(([name]) => name));
    if (source !== undefined) names.add(source);
    for (const { source: name } of dedupe) names.add(name);
    return [...names].flatMap((name) => this.#options.lanes.get(name) ?? []);
  }

  /** Where its positions are in line. */
  #placesOf({ positions = [] }: CommitRequest): { tails: SourceLane['tails']; partition: string }[] {
    return positions.flatMap(([name, partition]) => {
      const lane = this.#options.lanes.get(name);
      return lane === undefined ? [] : { tails: lane.tails, partition };
    });
  }
}

/** Positions speak for what was before them in their partitions: they are not saved when any of that was refused while they waited. */
async function afterThoseBefore(before: ReadonlySet<Promise<SluiceError | null>>): Promise<void> {
  const failure = (await Promise.all(before)).find((error) => error !== null);
  if (failure !== undefined) throw failure;
}

/** At once what nothing else would make known again: dead letters, deletions, and positions without records. */
async function saveIn(
  { source, checkpoints, isFenced }: SourceLane,
  { request, letters, bytes }: { request: CommitRequest; letters: readonly SealedBatch[]; bytes: number },
): Promise<void> {
  const { batches = [], positions: all = [] } = request;
  const positions = all
    .filter(([name]) => name === source)
    .map(([, partition, position]) => [partition, position] as const);
  const ownLetters = isFenced ? letters : [];
  const isAlone = positions.length > 0 && batches.length === 0;
  const deletes = positions.some(([, position]) => position === null);
  const isFailing = checkpoints.isFailing && positions.length > 0;
  if (ownLetters.length > 0 || isAlone || deletes || isFailing)
    await checkpoints.save({ letters: ownLetters, positions });
  else checkpoints.acknowledge(positions, bytes);
}
