import type { ProducerPartition } from './producer-partition.ts';

type ByTopic = Map<string, number[]>;

/** Which partitions a transaction of protocol 1 has, each told to the coordinator once, those of one turn together. */
export class PartitionsToAdd {
  readonly #add: (partitions: ByTopic) => Promise<void>;
  readonly #added = new Set<ProducerPartition>();
  #waiting = 0;
  #next: { readonly partitions: ByTopic; readonly done: Promise<void> } | null = null;

  constructor(add: (partitions: ReadonlyMap<string, readonly number[]>) => Promise<void>) {
    this.#add = add;
  }

  async add(partition: ProducerPartition): Promise<void> {
    if (this.#added.has(partition)) return;
    const { partitions, done } = (this.#next ??= this.#begin());
    const ofTopic = partitions.get(partition.topic);
    if (ofTopic === undefined) partitions.set(partition.topic, [partition.partition]);
    else ofTopic.push(partition.partition);
    this.#waiting++;
    try {
      await done;
      this.#added.add(partition);
    } finally {
      this.#waiting--;
    }
  }

  /** Does the coordinator still have to answer? Asked again under a newer epoch, it would say that this producer was fenced. */
  get isAdding(): boolean {
    return this.#waiting > 0;
  }

  get hasAdded(): boolean {
    return this.#added.size > 0;
  }

  /** The next transaction has none. */
  clear(): void {
    this.#added.clear();
  }

  #begin(): { readonly partitions: ByTopic; readonly done: Promise<void> } {
    const partitions: ByTopic = new Map();
    const done = Promise.resolve().then(() => {
      this.#next = null;
      return this.#add(partitions);
    });
    return { partitions, done };
  }
}
