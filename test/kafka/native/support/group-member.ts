import type { KafkaMember } from '../../../../src/kafka/index.ts';
import { RecordView } from '../../../../src/record/index.ts';

/** A member at work: reads all that it is assigned from where the group saved it, saves what it has read when it has to give it up, and keeps a diary. */
export class WorkingMember {
  readonly member: KafkaMember;
  readonly owned = new Set<string>();
  /** `topic/partition@offset` */
  readonly seen: string[] = [];
  readonly diary: string[] = [];
  /** While set, nothing is asked for. */
  hold: Promise<unknown> | null = null;
  failure: unknown = null;
  readonly #view = new RecordView({ decode: (bytes) => bytes });
  readonly #next = new Map<string, { topic: string; partition: number; next: number }>();
  readonly #stopping = new AbortController();
  readonly #working: Promise<void>;

  constructor(member: KafkaMember) {
    this.member = member;
    this.#working = this.#work().catch((error: unknown) => {
      this.failure = error;
    });
  }

  get partitions(): number[] {
    return [...this.owned].map((key) => Number(key.split('/')[1])).sort((a, b) => a - b);
  }

  commit(): Promise<void> {
    return this.member.commit([...this.#next.values()]);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
    await this.member.close();
  }

  async #work(): Promise<void> {
    for (;;) {
      await this.hold;
      const event = await this.member.next(this.#stopping.signal);
      if (event === null) return;
      if (event.type === 'assigned') {
        this.diary.push(`+${event.partitions.map(({ partition }) => partition).join()}`);
        for (const { topic, partition, committed } of event.partitions) {
          this.owned.add(`${topic}/${partition}`);
          this.member.seek(topic, partition, committed ?? 0);
        }
      } else if (event.type === 'revoked') {
        this.diary.push(`${event.isLost ? 'lost ' : '-'}${event.partitions.map(({ partition }) => partition).join()}`);
        if (!event.isLost) await this.commit();
        for (const { topic, partition } of event.partitions) {
          this.owned.delete(`${topic}/${partition}`);
          this.#next.delete(`${topic}/${partition}`);
        }
        event.done();
      } else if (event.type === 'chunk') {
        const { partition, bytes, from, next } = event.chunk;
        const key = `${partition.topic}/${partition.partition}`;
        if (!this.owned.has(key)) throw new Error(`a chunk of ${key}, which it does not have`);
        this.#view.clear();
        this.#view.addStored(partition, bytes, from);
        for (let index = 0; index < this.#view.count; index++) this.seen.push(`${key}@${this.#view.offset(index)}`);
        this.#next.set(key, { topic: partition.topic, partition: partition.partition, next });
        event.chunk.release();
      } else this.diary.push(event.type);
    }
  }
}
