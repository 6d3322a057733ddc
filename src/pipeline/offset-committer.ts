import type { Clock } from '../api/index.ts';
import type { TopicSubscription } from '../log/index.ts';
import { crashPoint } from '../telemetry/index.ts';
import { Alarm } from './alarm.ts';
import type { PartitionFeed } from './partition-feed.ts';

const COMMIT_EVERY_MS = 1000;

/** Saves the watermarks of a sink: every second, and when asked. The only place that does. */
export class OffsetCommitter {
  readonly #options: {
    readonly subscription: Pick<TopicSubscription, 'commit'>;
    readonly clock: Clock;
    readonly feeds: () => Iterable<PartitionFeed>;
    readonly onTick: (error: unknown) => void;
  };
  readonly #alarm: Alarm;
  #committing: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** `onTick` is told how the commit of each second went: undefined, or the error. */
  constructor(options: {
    subscription: Pick<TopicSubscription, 'commit'>;
    clock: Clock;
    feeds: () => Iterable<PartitionFeed>;
    onTick: (error: unknown) => void;
  }) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => void this.#tick());
  }

  start(): void {
    if (!this.#isStopped) this.#alarm.set(this.#options.clock.monotonic() + COMMIT_EVERY_MS);
  }

  /** Nothing is saved from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#alarm.stop();
  }

  /** Resolves when what may be saved now is saved. */
  commit(): Promise<void> {
    const committing = this.#committing.then(() => this.#save());
    this.#committing = committing.catch(() => undefined);
    return committing;
  }

  async #tick(): Promise<void> {
    let failure: unknown;
    try {
      await this.commit();
    } catch (error) {
      failure = error;
    }
    this.start();
    this.#options.onTick(failure);
  }

  async #save(): Promise<void> {
    if (this.#isStopped) return;
    const moved = [...this.#options.feeds()]
      .map((feed) => ({ feed, next: feed.watermark.committable }))
      .filter(({ feed, next }) => next > feed.saved);
    if (moved.length === 0) return;
    const committed = this.#options.subscription.commit(
      moved.map(({ feed, next }) => ({ partition: feed.partition.partition, next })),
    );
    crashPoint('offset-commit-sent');
    await committed;
    crashPoint('offset-commit-acknowledged');
    for (const { feed, next } of moved) feed.saved = next;
  }
}
