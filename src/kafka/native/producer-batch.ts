import { sequencesOf } from '../../record/index.ts';
import type { ProducerPartition } from './producer-partition.ts';

/** Sequences are 31 bits wide and start over at 0. */
const SEQUENCES = 2 ** 31;

/** One call of `send`, until it settles. */
export class ProducerBatch {
  readonly owner: ProducerPartition;
  readonly bytes: Buffer;
  /** Sequence numbers that it takes. */
  readonly count: number;
  /** Its first sequence, and the how manieth batch of the partition it is: both under the present producer epoch, and null until it departs for the first time. */
  place: { readonly sequence: number; readonly ordinal: number } | null = null;
  readonly resolve: (baseOffset: number) => void;
  readonly #reject: (error: Error) => void;
  #isFlying = false;
  #refusal: Error | null = null;

  constructor(
    owner: ProducerPartition,
    bytes: Buffer,
    settle: { readonly resolve: (baseOffset: number) => void; readonly reject: (error: Error) => void },
  ) {
    this.owner = owner;
    this.bytes = bytes;
    this.count = sequencesOf(bytes);
    this.resolve = settle.resolve;
    this.#reject = settle.reject;
  }

  depart(): void {
    this.#isFlying = true;
  }

  land(): void {
    this.#isFlying = false;
    if (this.#refusal !== null) this.#reject(this.#refusal);
  }

  /** Not before it has landed: the socket may still read its bytes, which are the caller's again afterwards. */
  reject(error: Error): void {
    if (this.#isFlying) this.#refusal = error;
    else this.#reject(error);
  }
}

export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}
