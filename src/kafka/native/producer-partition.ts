import { stampProducer } from '../../record/index.ts';
import { ProducerBatch, sequenceAfter } from './producer-batch.ts';

/** A broker remembers the last five batches of a producer in a partition: a repetition of one of them is recognised. */
const REMEMBERED = 5;
const LAST_EPOCH = 0x7fff;

/** As whom a partition is written. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

/**
 * What one producer writes to one partition: which batches fly, which come next and under which sequence, so that the log gets each of them once and in
 * order. It knows no network. The rules:
 *
 * - Batches depart in the order of the calls, all to one broker, none more than four places behind the oldest one that has not settled: so the broker
 *   remembers that one, if it has it, whatever else was written since.
 * - When one comes back unwritten, nothing departs until all that fly have come back. Then they depart again in order, with the same bytes: what the broker
 *   has already it recognises by the sequence. Those behind a missing one came back as out of order, which is no finding of its own.
 * - Under a new epoch one batch flies alone until it is written. A broker that has nothing of a producer takes any sequence, so it would
 *   take the second batch also where the first one failed.
 * - When a batch is refused for good, or the broker does not know the sequence that comes next (its state was lost, or an unclean election took back what was
 *   acknowledged), the partition goes on under the next epoch, from sequence 0; those before a refused batch, which may be written already, are first
 *   settled under the old one. Nothing is lost: all that was not acknowledged is sent again. It may be
 *   written twice where an attempt with unknown outcome had been written and the broker forgot it. A sequence is never given to other records
 *   instead: a broker that had got the first ones after all would take the others for their repetition, and drop them. Late requests of the epoch before are
 *   refused by the broker. Other partitions go on undisturbed: brokers keep epochs and sequences for each partition.
 */
export class ProducerPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #isTransactional: boolean;
  #identity: ProducerIdentity;
  #nextSequence = 0;
  #nextOrdinal = 0;
  #isConfirmed = false;
  /** Not settled, in the order of the calls. */
  #batches: ProducerBatch[] = [];
  /** So many of them, the first ones, departed since the last `resume`. */
  #departed = 0;
  #flying = 0;
  #isHeld = false;
  /** So many of the first batches have to be written under the present epoch before the next one begins. Null: it goes on. */
  #leftInEpoch: number | null = null;
  #needsNewId = false;

  constructor(topic: string, partition: number, identity: ProducerIdentity, isTransactional: boolean) {
    this.topic = topic;
    this.partition = partition;
    this.#identity = identity;
    this.#isTransactional = isTransactional;
  }

  get identity(): ProducerIdentity {
    return this.#identity;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Batches whose answers have not come yet, also of those that were abandoned. */
  get flying(): number {
    return this.#flying;
  }

  /** Nothing departs until `resume`, for which all that fly have to come back first. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Is one to depart? */
  isReady(): boolean {
    if (this.#isHeld || (this.#flying > 0 && !this.#isConfirmed)) return false;
    if (this.#departed >= (this.#leftInEpoch ?? this.#batches.length)) return false;
    return this.#ordinalOf(this.#departed) - this.#ordinalOf(0) < REMEMBERED;
  }

  /** How large the next one to depart is; only while `isReady`. */
  get nextBytes(): number {
    return this.#batches[this.#departed]!.bytes.length;
  }

  /** Can only another producer id go on? To be asked before `renew`. */
  get needsNewId(): boolean {
    return this.#needsNewId || (this.#leftInEpoch === 0 && this.#identity.epoch === LAST_EPOCH);
  }

  push(batch: ProducerBatch): void {
    this.#batches.push(batch);
  }

  /** The next one, stamped; only while `isReady`. */
  depart(): ProducerBatch {
    const batch = this.#batches[this.#departed]!;
    this.#departed++;
    this.#flying++;
    batch.depart();
    if (batch.place === null) this.#stamp(batch);
    return batch;
  }

  written(batch: ProducerBatch, baseOffset: number): void {
    this.#flying--;
    this.#isConfirmed = true;
    if (this.#remove(batch)) batch.resolve(baseOffset);
  }

  /** It came back unwritten, or nobody knows whether it was written. */
  returned(): void {
    this.#flying--;
    this.#isHeld = true;
  }

  /** The broker expects another sequence, or does not take the producer id. False: as had to be, behind one that came back before. */
  returnedOutOfSequence(isIdLost: boolean): boolean {
    const isFinding = !this.#isHeld || (isIdLost && !this.#needsNewId);
    if (isFinding) this.#leftInEpoch = 0;
    this.#needsNewId ||= isIdLost;
    this.returned();
    return isFinding;
  }

  /** False: it was abandoned before. */
  refused(batch: ProducerBatch, error: Error): boolean {
    this.returned();
    const index = this.#batches.indexOf(batch);
    this.#leftInEpoch = Math.min(this.#leftInEpoch ?? Infinity, Math.max(0, index));
    if (this.#remove(batch)) batch.reject(error);
    return index !== -1;
  }

  /** Rejects everything, what flies as soon as its answer comes, which means nothing any more. */
  abandon(error: Error): void {
    const batches = this.#batches;
    this.#batches = [];
    this.#departed = 0;
    if (this.#leftInEpoch !== null || batches.some(({ place }) => place !== null)) this.#leftInEpoch = 0;
    this.#isHeld ||= this.#leftInEpoch === 0;
    for (const batch of batches) batch.reject(error);
  }

  hold(): void {
    this.#isHeld = true;
  }

  /** Takes another identity, or (null) the next epoch where the present one is over. Nothing may fly. */
  renew(identity: ProducerIdentity | null): void {
    if (identity === null && this.#leftInEpoch !== 0) return;
    this.#identity = identity ?? { ...this.#identity, epoch: this.#identity.epoch + 1 };
    this.#nextSequence = 0;
    this.#nextOrdinal = 0;
    this.#isConfirmed = false;
    this.#leftInEpoch = null;
    this.#needsNewId = false;
    for (const batch of this.#batches) batch.place = null;
  }

  /** Everything departs (again), in order. Nothing may fly. */
  resume(): void {
    this.#departed = 0;
    this.#isHeld = false;
  }

  #ordinalOf(index: number): number {
    return this.#batches[index]!.place?.ordinal ?? this.#nextOrdinal;
  }

  #stamp(batch: ProducerBatch): void {
    const sequence = this.#nextSequence;
    const { producerId, epoch } = this.#identity;
    const isTransactional = this.#isTransactional;
    stampProducer(batch.bytes, { producerId, producerEpoch: epoch, baseSequence: sequence, isTransactional });
    batch.place = { sequence, ordinal: this.#nextOrdinal++ };
    this.#nextSequence = sequenceAfter(sequence, batch.count);
  }

  #remove(batch: ProducerBatch): boolean {
    const index = this.#batches.indexOf(batch);
    if (index === -1) return false;
    this.#batches.splice(index, 1);
    if (index < this.#departed) this.#departed--;
    if (this.#leftInEpoch !== null && index < this.#leftInEpoch) this.#leftInEpoch--;
    this.#isHeld ||= this.#leftInEpoch === 0;
    return true;
  }
}
