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
  readonly reject: (error: Error) => void;

  constructor(
    owner: ProducerPartition,
    bytes: Buffer,
    settle: { readonly resolve: (baseOffset: number) => void; readonly reject: (error: Error) => void },
  ) {
    this.owner = owner;
    this.bytes = bytes;
    this.count = sequencesOf(bytes);
    this.resolve = settle.resolve;
    this.reject = settle.reject;
  }
}

export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}
