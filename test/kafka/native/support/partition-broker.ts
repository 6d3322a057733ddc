import { AT, readInt64 } from '../../../../src/record/layout.ts';

/** What a leader answers: Kafka's own codes. */
export const CODE = {
  none: 0,
  messageTooLarge: 10,
  outOfOrder: 45,
  duplicate: 46,
  invalidEpoch: 47,
} as const;

interface Appended {
  readonly first: number;
  readonly last: number;
  readonly offset: number;
}

interface ProducerState {
  epoch: number;
  last: number;
  /** The last five. */
  batches: Appended[];
}

export interface Stored {
  readonly id: number;
  readonly producerId: number;
  readonly epoch: number;
}

/** A partition as its leaders keep it: the log, and what each producer wrote last, by the rules of Kafka's `ProducerStateManager`. */
export class PartitionBroker {
  readonly log: Stored[] = [];
  /** Ids of batches that are refused for good. */
  readonly tooLarge = new Set<number>();
  readonly #producers = new Map<number, ProducerState>();
  #end = 0;

  append(batch: Buffer): { code: number; offset: number } {
    const producerId = readInt64(batch, AT.producerId);
    const epoch = batch.readInt16BE(AT.producerEpoch);
    const first = batch.readInt32BE(AT.baseSequence);
    const count = batch.readInt32BE(AT.lastOffsetDelta) + 1;
    const last = (first + count - 1) % 2 ** 31;
    const id = idOf(batch);
    if (this.tooLarge.has(id)) return refusal(CODE.messageTooLarge);
    const state = this.#producers.get(producerId);
    const known = state?.epoch === epoch ? state.batches.find((one) => one.first === first && one.last === last) : null;
    if (known) return { code: CODE.none, offset: known.offset };
    const code = state === undefined ? CODE.none : check(state, epoch, first);
    if (code !== CODE.none) return refusal(code);
    const offset = this.#end;
    this.#end += count;
    this.log.push({ id, producerId, epoch });
    const before = state?.epoch === epoch ? state.batches : [];
    this.#producers.set(producerId, { epoch, last, batches: [...before, { first, last, offset }].slice(-5) });
    return { code: CODE.none, offset };
  }

  /** As after the deletion of all that the producers wrote, on brokers before 2.5. */
  forgetProducers(): void {
    this.#producers.clear();
  }

  /** As after an unclean election: the log and the states end at an earlier batch. */
  loseLast(producerId: number): void {
    this.log.pop();
    const state = this.#producers.get(producerId);
    const lost = state?.batches.pop();
    if (state !== undefined && lost !== undefined) state.last = (lost.first - 1 + 2 ** 31) % 2 ** 31;
  }
}

/** A batch without records, which producers do not look into: its id stands where the first timestamp belongs. */
export function modelBatch(id: number, count: number): Buffer {
  const batch = Buffer.alloc(61);
  batch.writeInt32BE(batch.length - 12, AT.batchLength);
  batch.writeInt8(2, AT.magic);
  batch.writeInt32BE(count - 1, AT.lastOffsetDelta);
  batch.writeInt32BE(id, AT.baseTimestamp + 4);
  batch.writeInt32BE(count, AT.count);
  return batch;
}

function idOf(batch: Buffer): number {
  return batch.readInt32BE(AT.baseTimestamp + 4);
}

function check(state: ProducerState, epoch: number, first: number): number {
  if (epoch < state.epoch) return CODE.invalidEpoch;
  if (epoch > state.epoch) return first === 0 ? CODE.none : CODE.outOfOrder;
  return first === (state.last + 1) % 2 ** 31 ? CODE.none : CODE.outOfOrder;
}

function refusal(code: number): { code: number; offset: number } {
  return { code, offset: -1 };
}
