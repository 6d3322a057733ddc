import { SluiceError } from '../../api/index.ts';
import { placeKey, type OffsetsByPlace, type TopicReader } from '../dead-letter-reader.ts';
import type { LegDependencies } from '../leg.ts';
import { writeLetters } from '../stored-letters.ts';
import type { StoredDeadLetter } from '../stored-dead-letter.ts';
import { judgeLetter } from './judge-letter.ts';
import { referencedRecord } from './referenced-record.ts';
import { replayRecord, type ReplayRecord } from './replay-record.ts';
import { SinkReplay, type ReplayCounts } from './sink-replay.ts';
import { SourceReplay } from './source-replay.ts';
import { chosenLetters, type ReplayChoice } from './survey.ts';

/** So much is read before it is written: a stop repeats no more. */
const WINDOW_RECORDS = 2000;
const WINDOW_BYTES = 4 * 1024 * 1024;

export interface ReplayOptions extends ReplayChoice {
  readonly view: TopicReader;
  /** Where to go on. */
  readonly from: OffsetsByPlace;
  readonly dependencies: LegDependencies;
  readonly replayId: string;
  readonly resurrect: boolean;
  /** Where letters are parked; null when the survey found none to park. */
  readonly parkingTopic: string | null;
  /** Records a second; null for as many as the legs take. */
  readonly perSecond: number | null;
  /** Stops it: what is under way may still end by itself for a moment. */
  readonly signal: AbortSignal;
  /** All before `next` came to an end. Resolves when that is saved. */
  readonly onProgress: (next: OffsetsByPlace, counts: ReplayTotals) => Promise<void>;
  readonly onWait: (leg: string, reason: string | null) => void;
  readonly report: (leg: string, status: string) => void;
}

/** What became of all that the replay came by. */
export interface ReplayTotals extends ReplayCounts {
  readonly records: number;
  readonly parked: number;
  /** By reference to what is not there any more. */
  readonly gone: number;
  /** Passed over: see `Judgement`. */
  readonly passed: number;
}

type Leg = SinkReplay | SourceReplay;

/** Writes dead letters again to the legs that refused them, window by window. */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #legs = new Map<string, Leg>();
  readonly #next: Map<string, number>;
  readonly #own = { records: 0, parked: 0, gone: 0, passed: 0 };

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#next = new Map(options.from);
  }

  get totals(): ReplayTotals {
    const sum = { delivered: 0, refused: 0, leftOut: 0 };
    for (const { counts } of this.#legs.values()) {
      sum.delivered += counts.delivered;
      sum.refused += counts.refused;
      sum.leftOut += counts.leftOut;
    }
    return { ...this.#own, ...sum };
  }

  /** Resolves when everything that is meant came to an end. Rejects with what a leg fails with, and with the signal's reason; then progress tells where it stood. */
  async run(): Promise<void> {
    const { perSecond, signal } = this.#options;
    const mostRecords = Math.max(1, Math.min(WINDOW_RECORDS, perSecond ?? Infinity));
    let window: StoredDeadLetter[] = [];
    let bytes = 0;
    try {
      for await (const letter of chosenLetters(this.#options, this.#options.from)) {
        signal.throwIfAborted();
        window.push(letter);
        bytes += letter.value?.length ?? 0;
        if (window.length < mostRecords && bytes < WINDOW_BYTES) continue;
        await this.#pass(window);
        [window, bytes] = [[], 0];
      }
      if (window.length > 0) await this.#pass(window);
    } finally {
      await Promise.all([...this.#legs.values()].map((leg) => leg.close()));
    }
  }

  async #pass(window: readonly StoredDeadLetter[]): Promise<void> {
    const { perSecond, dependencies, signal, onProgress } = this.#options;
    const begin = dependencies.clock.monotonic();
    await this.#write(window);
    for (const { stored } of window) this.#next.set(placeKey(stored.topic, stored.partition), stored.offset + 1);
    this.#own.records += window.length;
    await onProgress(this.#next, this.totals);
    if (perSecond === null) return;
    const dueMs = (window.length / perSecond) * 1000 - (dependencies.clock.monotonic() - begin);
    if (dueMs > 0) await dependencies.clock.sleep(dueMs, signal);
  }

  async #write(window: readonly StoredDeadLetter[]): Promise<void> {
    const byLeg = new Map<string, ReplayRecord[]>();
    const toPark: StoredDeadLetter[] = [];
    for (const letter of window) {
      const judgement = judgeLetter(letter, this.#options);
      if (judgement === 'park') toPark.push(letter);
      else if (judgement === 'replay') await this.#prepare(letter, byLeg);
      else this.#own.passed++;
    }
    await this.#park(toPark);
    const writes = [...byLeg].map(async ([key, records]) => {
      const leg = this.#legs.get(key) ?? (await this.#open(records[0]!.letter));
      this.#legs.set(key, leg);
      await leg.write(records);
    });
    // All of them end before anything is said: their progress is one.
    const failed = (await Promise.allSettled(writes)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #prepare(letter: StoredDeadLetter, byLeg: Map<string, ReplayRecord[]>): Promise<void> {
    const { view, replayId } = this.#options;
    const whole = letter.reference === null ? letter : await referencedRecord(letter, view);
    if (whole === null) {
      this.#own.gone++;
      return;
    }
    const key = `${letter.origin === null ? 'source' : 'sink'} ${letter.leg}`;
    const records = byLeg.get(key) ?? [];
    byLeg.set(key, records);
    records.push(replayRecord(letter, replayId, whole));
  }

  async #park(letters: readonly StoredDeadLetter[]): Promise<void> {
    const { parkingTopic, dependencies, signal } = this.#options;
    if (letters.length === 0) return;
    if (parkingTopic === null)
      throw new SluiceError('TOPIC_UNKNOWN', 'parking dead letters: there is no topic for them');
    const { topicLog, pool, pipeline } = dependencies;
    const { partitions, maxBatchBytes } = topicLog.describe(parkingTopic);
    await writeLetters(letters, {
      target: { topic: parkingTopic, partitions, maxBatchBytes },
      compression: pipeline.topic.compression,
      pool,
      signal,
      commit: (batches) => topicLog.commit({ batches }),
    });
    this.#own.parked += letters.length;
  }

  async #open({ origin, leg, stored }: StoredDeadLetter): Promise<Leg> {
    const { plan, sinks, dependencies, view, replayId, resurrect, signal, onWait, report } = this.#options;
    if (origin === null) {
      return new SourceReplay({ plan: plan.sources.find(({ name }) => name === leg)!, dependencies, signal });
    }
    const { plan: sink, definition, options } = sinks.get(leg)!;
    return SinkReplay.open({
      plan: sink,
      // Letters of a job's ranges were passed over.
      definition: definition!,
      options,
      dependencies,
      replayId,
      resurrect,
      deadLetters: view.topics.find(({ name }) => name === stored.topic)?.incarnation ?? '',
      signal,
      onWait: (reason) => {
        onWait(leg, reason);
      },
      report: (status) => {
        report(leg, status);
      },
    });
  }
}
