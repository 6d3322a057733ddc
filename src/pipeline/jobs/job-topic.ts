import { SluiceError, type JobRange } from '../../api/index.ts';
import type { Assignment, FetchedChunk, SubscriptionEvent, TopicSubscription } from '../../log/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import { Notice } from '../notice.ts';

/** The topic as a job sink sees it: where every partition stands, and chunks of a range where somebody has to look into it. */
export class JobTopic {
  readonly #subscription: TopicSubscription;
  readonly #notice = new Notice();
  /** `committed` is kept up to date. */
  readonly #assigned = new Map<number, Assignment>();
  readonly #chunks: FetchedChunk[] = [];
  #reading: number | null = null;
  #committing: Promise<void> = Promise.resolve();
  /** Aborts when a partition is taken away. */
  #tenure = new AbortController();
  #failure: { readonly error: unknown } | null = null;

  constructor(subscription: TopicSubscription) {
    this.#subscription = subscription;
  }

  /** Reads events until the signal aborts; what it fails with, all others reject with. */
  async follow(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const event = await this.#subscription.next(signal);
        if (event === null) return;
        this.#handle(event);
      }
    } catch (error) {
      this.#failure = { error };
      this.#tenure.abort(error);
    } finally {
      for (const chunk of this.#chunks.splice(0)) chunk.release();
      this.#notice.notify();
    }
  }

  /** Waits until every partition of the topic is this hub's. The signal that it resolves with aborts when one of them is so no more. */
  async whole(
    signal: AbortSignal,
  ): Promise<{ readonly assigned: readonly Assignment[]; readonly tenure: AbortSignal }> {
    for (;;) {
      await this.#until(() => this.#assigned.size > 0, signal);
      const count = (await this.#subscription.ends()).length;
      const hasAll = (): boolean => this.#missing(count).length === 0;
      if (hasAll()) return { assigned: this.#inOrder(), tenure: this.#tenure.signal };
      await this.#until(() => hasAll() || this.#assigned.size === 0, signal);
    }
  }

  /** Partitions that another hub has, as far as is known. */
  #missing(count: number): readonly number[] {
    return Array.from({ length: count }, (_, partition) => partition).filter((one) => !this.#assigned.has(one));
  }

  /** Where each partition goes on, and its end of now. One that is new waits for its assignment. */
  async standing(): Promise<readonly JobRange[]> {
    const ends = await this.#subscription.ends();
    return this.#inOrder().map(({ partition, committed: from }) => {
      return { partition, from, to: Math.max(from, ends[partition] ?? from) };
    });
  }

  next(partition: number): number | undefined {
    return this.#assigned.get(partition)?.committed;
  }

  /** Saves the ends of these ranges as the offsets of the sink: all of them when it resolves. Rejects with `KAFKA_REBALANCED` when a partition is somebody else's. */
  async commit(ranges: readonly JobRange[]): Promise<void> {
    if (ranges.some(({ partition }) => !this.#assigned.has(partition))) throw rebalanced();
    const moved = ranges.filter(({ partition, to }) => to > this.#assigned.get(partition)!.committed);
    if (moved.length === 0) return;
    const committed = this.#subscription.commit(moved.map(({ partition, to }) => ({ partition, next: to })));
    this.#committing = committed.catch(() => undefined);
    crashPoint('offset-commit-sent');
    await committed;
    crashPoint('offset-commit-acknowledged');
    // Partitions that the group has just given to others were left out; the batch is whole or open.
    const saved = await this.#subscription.saved?.();
    if (saved !== undefined && moved.some(({ partition, to }) => (saved.get(partition) ?? -1) < to)) throw rebalanced();
    for (const { partition, to } of moved) {
      const assignment = this.#assigned.get(partition);
      if (assignment === undefined) continue;
      this.#assigned.set(partition, { ...assignment, committed: to });
    }
    this.#notice.notify();
  }

  /**
   * The stored batches of a range, in order; each has to be released. The last may hold more than the range. One call at a time. Rejects with the signal's reason, and when the
   * partition is taken away.
   */
  async *read({ partition, from, to }: JobRange, signal: AbortSignal): AsyncGenerator<FetchedChunk> {
    if (from >= to) return;
    const either = AbortSignal.any([signal, this.#tenure.signal]);
    this.#reading = partition;
    this.#subscription.seek(partition, from);
    try {
      for (let next = from; next < to;) {
        await this.#until(() => this.#chunks.length > 0, either);
        const chunk = this.#chunks.shift()!;
        next = chunk.next;
        if (next >= to) this.#subscription.pause(partition);
        yield chunk;
      }
    } finally {
      this.#reading = null;
      this.#subscription.pause(partition);
      for (const chunk of this.#chunks.splice(0)) chunk.release();
    }
  }

  /** Resolves when the condition holds, looked at whenever offsets were saved or partitions came and went. */
  until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return this.#until(holds, signal);
  }

  /** The same, asked for now, of all partitions. */
  ends(): Promise<readonly number[]> {
    return this.#subscription.ends();
  }

  async #until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    await this.#notice.until(() => this.#failure !== null || holds(), signal);
    if (this.#failure !== null) throw this.#failure.error;
  }

  #inOrder(): Assignment[] {
    return [...this.#assigned.values()].sort((one, other) => one.partition - other.partition);
  }

  #handle(event: SubscriptionEvent): void {
    if (event.type === 'chunk') {
      if (event.chunk.partition.partition === this.#reading) this.#chunks.push(event.chunk);
      else event.chunk.release();
    } else if (event.type === 'assigned') {
      for (const assignment of event.partitions) {
        this.#assigned.set(assignment.partition, assignment);
      }
    } else {
      for (const { partition } of event.partitions) {
        this.#assigned.delete(partition);
      }
      this.#tenure.abort(rebalanced());
      this.#tenure = new AbortController();
      // Whoever gets them next must see what is being saved.
      void this.#committing.then(event.done);
    }
    this.#notice.notify();
  }
}

function rebalanced(): SluiceError {
  return new SluiceError('KAFKA_REBALANCED', 'processing a batch: another hub has partitions of it now');
}
