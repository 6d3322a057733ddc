import { SluiceError, type SinkDefinition, type TopicPartition } from '../../api/index.ts';
import type { SinkPlan } from '../../config/index.ts';
import { DeadLetterRate } from '../dead-letter-rate.ts';
import type { TopicPlace } from '../dead-letter.ts';
import type { LegDependencies } from '../leg.ts';
import { SinkRun } from '../sink-run.ts';
import { SinkTotals } from '../sink-totals.ts';
import { ReplayLog } from './replay-log.ts';
import type { PlacedRecord, ReplayRecord } from './replay-record.ts';
import { withinGrace } from './within-grace.ts';

/** What became of the records that were written. */
export interface ReplayCounts {
  readonly delivered: number;
  /** Dead letters again. */
  readonly refused: number;
  /** By the sink's condition, or since they are of no use to its target. */
  readonly leftOut: number;
}

export interface SinkReplayOptions {
  readonly plan: SinkPlan;
  readonly definition: SinkDefinition;
  /** As `create` takes them. */
  readonly options: Record<string, unknown>;
  /** `topicLog` takes what is refused again. */
  readonly dependencies: LegDependencies;
  readonly replayId: string;
  readonly resurrect: boolean;
  /** Where the dead letters lie. */
  readonly deadLetters: TopicPartition['incarnation'];
  readonly signal: AbortSignal;
  /** What the sink waits for, in words; null when it goes on. */
  readonly onWait: (reason: string | null) => void;
  /** A line of the sink about what it did. */
  readonly report: (status: string) => void;
}

/** Takes records that one sink refused back to it, and to no other. */
export class SinkReplay {
  readonly #options: SinkReplayOptions;
  readonly #log: ReplayLog;
  readonly #run: SinkRun;
  readonly #totals = new SinkTotals();
  readonly #started = Promise.withResolvers<undefined>();
  readonly #stuck = Promise.withResolvers<never>();
  readonly #places = new Map<string, TopicPlace>();
  /** What its target had already when an interrupted replay went on. */
  #known = 0;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: SinkReplayOptions) {
    const { plan, dependencies, resurrect, report } = options;
    this.#options = options;
    this.#log = new ReplayLog(dependencies.topicLog);
    this.#stuck.promise.catch(() => undefined);
    const placeOf = (partition: TopicPartition, offset: number): TopicPlace =>
      this.#places.get(placeKey(partition, offset)) ?? { partition, offset };
    this.#run = new SinkRun({
      plan,
      dependencies: { ...dependencies, topicLog: this.#log, replay: { placeOf, resurrect } },
      totals: this.#totals,
      rate: new DeadLetterRate(dependencies.clock, dependencies.pipeline.deadLetter.maxRate),
      onStarted: () => {
        this.#started.resolve(undefined);
      },
      onTrouble: (trouble) => {
        options.onWait(trouble?.reason ?? null);
        if (trouble?.state === 'paused') this.#stuck.reject(new SluiceError('SINK_BLOCKED', trouble.reason));
      },
      onProgress: () => undefined,
      report,
    });
  }

  /** Rejects when the sink cannot be opened. */
  static async open(options: SinkReplayOptions): Promise<SinkReplay> {
    const replay = new SinkReplay(options);
    replay.#running = replay.#run.run(options.definition, options.options);
    await replay.#during(replay.#started.promise);
    return replay;
  }

  get counts(): ReplayCounts {
    const { records, deadLettered, dropped } = this.#totals.get();
    return { delivered: records + this.#known, refused: deadLettered, leftOut: dropped };
  }

  /**
   * Resolves when all of them are delivered, left out, or dead letters again, and the sink has made what it took durable. Rejects with `SINK_BLOCKED` when only
   * an operator can go on, with what the sink failed with, and with the signal's reason.
   */
  async write(records: readonly ReplayRecord[]): Promise<void> {
    const { delivered, refused, leftOut } = this.counts;
    const before = delivered + refused + leftOut;
    const placed = records.map((record) => this.#place(record));
    const byTopic = Map.groupBy(placed, ({ place }) => JSON.stringify([place.topic, place.incarnation]));
    for (const own of byTopic.values()) {
      for (const { letter, place } of own) this.#remember(letter.origin!, place);
      const { subscription } = this.#log;
      if (subscription === null) throw new SluiceError('SINK_UNAVAILABLE', 'replaying: the sink has ended');
      await this.#during(this.#run.reach(subscription.offer(own)));
      await this.#during(subscription.withdraw());
      this.#places.clear();
    }
    const after = this.counts;
    this.#known += records.length - (after.delivered + after.refused + after.leftOut - before);
  }

  async close(): Promise<void> {
    if (this.#options.signal.aborted) this.#run.kill(this.#options.signal.reason);
    else this.#run.drain();
    await this.#running.catch(() => undefined);
  }

  async #during<R>(work: Promise<R>): Promise<R> {
    const ended = this.#running.then(() => {
      throw new SluiceError('SINK_UNAVAILABLE', 'replaying: the sink has ended');
    });
    const { signal, dependencies } = this.#options;
    return withinGrace(Promise.race([work, ended, this.#stuck.promise]), signal, dependencies.clock);
  }

  /**
   * Ids are made of the place where the record was read first: what was written before is known again. A target that knows which offset comes next would
   * take nothing from before it: there each replay counts on its own.
   */
  #place(record: ReplayRecord): PlacedRecord {
    const { letter } = record;
    if (this.#options.definition.promise !== 'exactly-once') return { ...record, place: letter.origin! };
    const { partition, offset } = letter.stored;
    const incarnation = `${this.#options.deadLetters}-${this.#options.replayId}`;
    return { ...record, place: { topic: letter.origin!.topic, partition, offset, incarnation } };
  }

  #remember({ offset, ...partition }: PlacedRecord['place'], place: PlacedRecord['place']): void {
    if (this.#options.definition.promise === 'exactly-once')
      this.#places.set(placeKey(place, place.offset), { partition, offset });
  }
}

function placeKey({ topic, partition }: TopicPartition, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}
