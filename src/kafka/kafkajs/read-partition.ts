import type { KafkaTopicPartition } from '../client.ts';
import type { QueuedEvent } from '../shared/event-queue.ts';
import type { Waiting } from '../shared/waiting.ts';

/** One partition that is read: where, and what keeps it from being fetched just now. */
export class ReadPartition {
  readonly topic: string;
  readonly number: number;
  /** Known once its topic was looked up. */
  identity: KafkaTopicPartition | null = null;
  /** The offset to fetch next. */
  next = 0;
  /** Counts what makes an answer under way useless. */
  version = 0;
  isPaused = false;
  isInFlight = false;
  /** What waits to be handed out; until then nothing more is fetched. */
  queued: QueuedEvent | null = null;
  /** Until `seek`, for somebody has to decide: the offset is gone, or the topic is. */
  isStill = false;
  /** More than usual, when its next batch is that large. */
  neededBytes = 0;
  end = 0;
  failures = 0;
  /** After a failure. */
  isResting = false;
  readonly #waiting: Waiting;
  #wait: ReturnType<Waiting['begin']> | null = null;

  constructor(topic: string, number: number, waiting: Waiting) {
    this.topic = topic;
    this.number = number;
    this.#waiting = waiting;
  }

  get name(): string {
    return `topic ${JSON.stringify(this.topic)} partition ${this.number}`;
  }

  get wantsFetch(): boolean {
    return !(this.isPaused || this.isInFlight || this.isStill || this.isResting) && this.queued === null;
  }

  seek(offset: number): void {
    this.next = offset;
    this.version++;
    this.isPaused = false;
    this.isStill = false;
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
