import type { Position, RejectedRecord } from '../api/index.ts';
import type { RecordBatchBuilder } from '../record/index.ts';
import { SealedRecords } from './sealed-records.ts';

/** A builder larger than this is not copied into another: its bytes are stored as they are. */
const MERGE_BELOW_BYTES = 64 * 1024;

/** What a call of `emit` (or `forget`) asks for. */
interface EmitBase {
  /** It settles behind what came before it in these: the partitions of its positions, or without any its stream. */
  readonly lines: readonly string[];
  /** A null position deletes. */
  readonly positions: readonly (readonly [partition: string, position: Position | null])[];
  readonly rejected: readonly RejectedRecord[];
  readonly dedupeIds: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Not in a flight yet. */
export interface NewEmit extends EmitBase {
  readonly records: RecordBatchBuilder | SealedRecords | null;
  /** Of the topic; 0 with a key. */
  readonly partition: number;
}

/** Waiting for its commit. */
export interface Emit extends EmitBase {
  readonly parcel: Parcel;
  /** Its records are [first, first + count) of the parcel. */
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
}

/** Records that stay together: whole emits of one partition, or with a key of all of them. */
export interface Parcel {
  /** 0 with a key: not decided yet. */
  readonly partition: number;
  readonly builder: RecordBatchBuilder | null;
  readonly sealed: SealedRecords | null;
}

/** Emits that share a commit. */
export class EmitFlight {
  readonly emits: Emit[] = [];
  readonly parcels: Parcel[] = [];
  readonly #tails = new Map<number, Parcel>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The builder belongs to the flight from here on; a small one is copied behind the one before and freed at once. */
  add({ records, partition, ...emit }: NewEmit): void {
    const [builder, sealed] = records instanceof SealedRecords ? [null, records] : [records, null];
    const count = records?.count ?? 0;
    const bytes = records?.byteLength ?? 0;
    const tail = this.#tails.get(partition);
    let parcel: Parcel;
    let first = 0;
    if (count === 0) {
      records?.release();
      parcel = { partition, builder: null, sealed: null };
    } else if (tail?.builder != null && builder !== null && this.#merges(tail.builder, builder)) {
      parcel = tail;
      first = tail.builder.count - count;
    } else {
      parcel = { partition, builder, sealed };
      this.parcels.push(parcel);
      this.#tails.set(partition, parcel);
    }
    this.#bytes += bytes;
    this.emits.push({ ...emit, parcel, first, count, bytes });
  }

  /** Frees what the records lie in. */
  release(): void {
    for (const { builder, sealed } of this.parcels.splice(0)) {
      builder?.release();
      sealed?.release();
    }
  }

  #merges(tail: RecordBatchBuilder, builder: RecordBatchBuilder): boolean {
    if (builder.byteLength > MERGE_BELOW_BYTES || !tail.appendAll(builder)) return false;
    builder.release();
    return true;
  }
}
