/** How many of each kind the shared memory has room for. */
export interface MarkCounts {
  /** Partitions of all topics. */
  readonly partitions: number;
  readonly topics: number;
  /** Saved offsets that this run may move. */
  readonly floors: number;
  readonly pipelines: number;
}

const NONE = -1;

/**
 * What all threads know of the log, in memory that they share: where partitions begin and end, and what sinks have saved. A mark is published after its
 * frame is durable, and an end never goes down.
 */
export class Marks {
  readonly #ends: BigInt64Array;
  readonly #starts: BigInt64Array;
  readonly #segments: BigInt64Array;
  readonly #bytes: BigInt64Array;
  readonly #floors: BigInt64Array;
  readonly #turns: Int32Array;
  readonly #open: Int32Array;

  constructor(shared: SharedArrayBuffer, { partitions, topics, floors, pipelines }: MarkCounts) {
    let at = 0;
    const longs = (length: number): BigInt64Array => {
      const array = new BigInt64Array(shared, at, length);
      at += array.byteLength;
      return array;
    };
    this.#ends = longs(partitions);
    this.#starts = longs(partitions);
    this.#segments = longs(partitions);
    this.#bytes = longs(partitions);
    this.#floors = longs(floors);
    this.#turns = new Int32Array(shared, at, topics);
    at += this.#turns.byteLength;
    this.#open = new Int32Array(shared, at, pipelines);
  }

  static allocate({ partitions, topics, floors, pipelines }: MarkCounts): SharedArrayBuffer {
    return new SharedArrayBuffer(8 * (4 * partitions + floors) + 4 * (topics + pipelines));
  }

  /** The offset after the last record that anybody may see. */
  end(slot: number): number {
    return Number(Atomics.load(this.#ends, slot));
  }

  /** The first offset that is still there. */
  start(slot: number): number {
    return Number(Atomics.load(this.#starts, slot));
  }

  /** How many bytes of the file `segment` are committed; null when that is not the newest file. A hint: both may be a moment old. */
  bytesOf(slot: number, segment: number): number | null {
    return Number(Atomics.load(this.#segments, slot)) === segment ? Number(Atomics.load(this.#bytes, slot)) : null;
  }

  /** Call `announce` when all marks of a commit are set. */
  setPartition(slot: number, at: { start: number; end: number; segment: number; bytes: number }): void {
    Atomics.store(this.#segments, slot, BigInt(at.segment));
    Atomics.store(this.#bytes, slot, BigInt(at.bytes));
    if (at.start > this.start(slot)) Atomics.store(this.#starts, slot, BigInt(at.start));
    if (at.end > this.end(slot)) Atomics.store(this.#ends, slot, BigInt(at.end));
  }

  /** Wakes who waits for the topic. */
  announce(topic: number): void {
    Atomics.add(this.#turns, topic, 1);
    Atomics.notify(this.#turns, topic);
  }

  turn(topic: number): number {
    return Atomics.load(this.#turns, topic);
  }

  /** Resolves when the topic's turn is another one, or when somebody is woken for nothing. */
  async nextTurn(topic: number, turn: number): Promise<void> {
    const waiting = Atomics.waitAsync(this.#turns, topic, turn);
    if (waiting.async) await waiting.value;
  }

  /** Wakes who waits, though nothing changed. */
  rouse(topic: number): void {
    Atomics.notify(this.#turns, topic);
  }

  /** The next offset that a sink has saved; null for none yet. */
  floor(slot: number): number | null {
    const floor = Number(Atomics.load(this.#floors, slot));
    return floor === NONE ? null : floor;
  }

  setFloor(slot: number, next: number | null): void {
    Atomics.store(this.#floors, slot, BigInt(next ?? NONE));
  }

  /** Takes the log of a pipeline for one writer; false when it has one. */
  take(pipeline: number): boolean {
    return Atomics.compareExchange(this.#open, pipeline, 0, 1) === 0;
  }

  giveBack(pipeline: number): void {
    Atomics.store(this.#open, pipeline, 0);
  }

  isTaken(pipeline: number): boolean {
    return Atomics.load(this.#open, pipeline) === 1;
  }
}
