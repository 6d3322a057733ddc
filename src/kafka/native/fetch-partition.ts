import type { KafkaTopicPartition } from '../client.ts';
import type { QueuedEvent } from '../shared/event-queue.ts';
import type { Waiting } from '../shared/waiting.ts';

/** One partition that is read: where, and what keeps it from being fetched just now. */
export class FetchPartition {
  readonly topic: string;
  readonly number: number;
  /** The offset to fetch next. */
  next = 0;
  /** Counts what makes an answer under way useless. */
  version = 0;
  isPaused = false;
  /** The version that a fetch under way asks for; -1: none does. */
  inFlight = -1;
  /** What waits to be handed out; until then nothing more is fetched. */
  queued: QueuedEvent | null = null;
  /** Until `seek`, for somebody has to decide: the offset is gone, or the topic is another. */
  isStill = false;
  /** Its last answer was empty: nothing more is expected at once. */
  isDrained = false;
  /** More than usual, when its next batch is that large. */
  neededBytes = 0;
  end = 0;
  failures = 0;
  /** Pauses after failures that are not over yet. */
  rests = 0;
  #identity: KafkaTopicPartition | null = null;
  readonly #waiting: Waiting;
  #wait: ReturnType<Waiting['begin']> | null = null;

  constructor(topic: string, number: number, waiting: Waiting) {
    this.topic = topic;
    this.number = number;
    this.#waiting = waiting;
  }

  /** Known once its topic was looked up. The same object for all chunks of an incarnation. */
  get identity(): KafkaTopicPartition | null {
    return this.#identity;
  }

  identify(incarnation: string): void {
    if (this.#identity?.incarnation === incarnation) return;
    this.#identity = { topic: this.topic, partition: this.number, incarnation };
  }

  get name(): string {
    return `topic ${JSON.stringify(this.topic)} partition ${this.number}`;
  }

  get wantsFetch(): boolean {
    return (
      !this.isPaused && this.inFlight !== this.version && !this.isStill && this.queued === null && this.rests === 0
    );
  }

  seek(offset: number): void {
    this.next = offset;
    this.version++;
    this.isPaused = this.isStill = this.isDrained = false;
    this.neededBytes = 0;
  }

  failed(reason: string): void {
    this.failures++;
    this.#wait ??= this.#waiting.begin();
    this.#wait.because(reason);
  }

  recovered(): void {
    this.failures = 0;
    this.#wait?.end();
    this.#wait = null;
  }
}
