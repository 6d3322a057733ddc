import type { KafkaTopicPartition } from '../client.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { Waiting } from './waiting.ts';

/** One partition that is read: where, and what keeps it from being fetched just now. */
export class ReadingPartition {
  readonly topic: string;
  readonly number: number;
  /** The offset to fetch next. */
  next = 0;
  /** Counts what makes an answer under way useless. */
  version = 0;
  isPaused = false;
  /** What waits to be handed out; until then nothing more is fetched. */
  queued: QueuedEvent | null = null;
  /** Until `seek`, for somebody has to decide: the offset is gone, or the topic is another. */
  isStill = false;
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

  /** Nothing keeps it from being asked for, unless it is already. */
  get isFree(): boolean {
    return !this.isPaused && !this.isStill && this.queued === null && this.rests === 0;
  }

  seek(offset: number): void {
    this.next = offset;
    this.version++;
    this.isPaused = this.isStill = false;
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
