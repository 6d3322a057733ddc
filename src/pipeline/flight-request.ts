import { SluiceError, type Position } from '../api/index.ts';
import type { CommitRequest, SealedBatch } from '../log/index.ts';
import { partitionForKey, sealBatch, type RecordBatchBuilder } from '../record/index.ts';
import { asSluiceError } from './as-sluice-error.ts';
import { BuilderRecord } from './builder-record.ts';
import { createDeadLetter, type DeadLetter, type DeadLetterTarget, type Stage } from './dead-letter.ts';
import type { Emit, EmitFlight, Parcel } from './emit-flight.ts';
import { MAX_BATCH_BYTES, RegionPlan, type OpenRegions } from './regions.ts';
import type { SourceTarget } from './source-target.ts';

/** Re-stamped deltas and lengths may take more bytes than they did. */
const RESTAMP_BYTES = 24;

export interface FlightRequest {
  readonly request: CommitRequest;
  /** Without dead letters. */
  readonly records: number;
  readonly deadLetters: number;
  /** Frees copies that were made; the flight's own builders stay. */
  release(): void;
}

/** Records of a parcel that are copied: which region each goes to (-1: none), and its new key. */
interface Move {
  readonly builder: RecordBatchBuilder;
  readonly regionOf: Int32Array;
  readonly keys: readonly (Uint8Array | null)[] | null;
  readonly from: number;
  readonly to: number;
}

/**
 * Makes one commit of a flight: batches, dead letters, positions and ids. Without a key the bytes are sealed where they lie; with one, and where a builder is
 * larger than a batch may be, they are copied once. Throws `DEAD_LETTER_OFF` when something was refused and there is nowhere to put it.
 */
export async function createFlightRequest(
  flight: EmitFlight,
  target: SourceTarget,
  options: { savesPositions: boolean; signal: AbortSignal },
): Promise<FlightRequest> {
  const plan = new RegionPlan();
  const letters = rejectedInput(flight, target);
  const moves = new Map<Parcel, Move>();
  for (const parcel of flight.parcels) {
    const { builder } = parcel;
    if (builder === null) continue;
    if (target.keyOf !== null) moves.set(parcel, planByKey(builder, target, plan, letters));
    else if (builder.bytes.length > Math.min(MAX_BATCH_BYTES, target.maxBatchBytes))
      moves.set(parcel, planSplit(builder, parcel.partition, target, plan));
  }
  const firstLetterRegion = plan.close();
  const letterRegions = letters.map((letter) =>
    plan.reserve(deadLetterTarget(target, letters), letter.partition, letter.byteLength),
  );
  const endRegion = plan.close();
  const regions = await plan.open(target.pool, options.signal);
  for (const move of moves.values()) copyRecords(move, regions);
  letters.forEach(({ key, value, timestamp, headers }, index) => {
    regions.builder(letterRegions[index]!).append(value, key, timestamp, headers);
  });
  const batches: SealedBatch[] =
    target.keyOf === null
      ? flight.parcels.flatMap((parcel) => sealParcel(parcel, moves.get(parcel), regions, target))
      : regions.seal(0, firstLetterRegion, target.compression);
  const letterBatches = regions.seal(firstLetterRegion, endRegion, target.compression);
  return {
    request: {
      source: target.source,
      batches: [...batches, ...letterBatches],
      ...savedBeside(flight.emits, target, options.savesPositions),
    },
    records: batches.reduce((sum, { count }) => sum + count, 0),
    deadLetters: letters.length,
    release: () => {
      regions.release();
    },
  };
}

function rejectedInput({ emits }: EmitFlight, target: SourceTarget): DeadLetter[] {
  return emits.flatMap((emit) =>
    emit.rejected.map(({ value, error, position }) => {
      const record = {
        key: null,
        value: value?.subarray(0, target.maxRecordBytes) ?? null,
        timestamp: target.clock.now(),
        headers: [],
      };
      return letterOf(record, { stage: 'source', error, position, partition: emit.parcel.partition }, target);
    }),
  );
}

function letterOf(
  record: Parameters<typeof createDeadLetter>[0],
  cause: { stage: Stage; error: SluiceError; position: string; partition: number },
  target: SourceTarget,
): DeadLetter {
  const now = target.clock.now();
  return createDeadLetter(
    record,
    { stage: cause.stage, error: cause.error, attempts: 1, firstAt: now, lastAt: now },
    {
      origin: target.origin,
      place: { position: cause.position },
      partition: cause.partition % (target.deadLetter?.partitions ?? 1),
      maxBatchBytes: target.deadLetter?.maxBatchBytes ?? Infinity,
    },
  );
}

function planByKey(builder: RecordBatchBuilder, target: SourceTarget, plan: RegionPlan, letters: DeadLetter[]): Move {
  const regionOf = new Int32Array(builder.count).fill(-1);
  const keys: (Uint8Array | null)[] = [];
  for (let index = 0; index < builder.count; index++) {
    let key: Uint8Array | null;
    try {
      key = target.keyOf!(new BuilderRecord(builder, index, target));
      checkSize(builder, index, key, target);
    } catch (thrown) {
      const error = asSluiceError(thrown, 'EXPRESSION_FAILED', `evaluating the key of source "${target.source}"`);
      const record = {
        key: builder.keyAt(index),
        value: builder.valueAt(index),
        timestamp: builder.timestampAt(index),
        headers: builder.headersAt(index),
      };
      letters.push(letterOf(record, { stage: 'key', error, position: '', partition: index }, target));
      keys.push(null);
      continue;
    }
    keys.push(key);
    const bytes = builder.sizeAt(index) + (key?.length ?? 0) + RESTAMP_BYTES;
    const partition =
      key === null ? target.partitioner.partitionFor(undefined, bytes) : partitionForKey(key, target.partitions);
    regionOf[index] = plan.reserve(target, partition, bytes);
  }
  return { builder, regionOf, keys, from: 0, to: 0 };
}

/** A new key counts as one that came with the record. Throws `RECORD_TOO_LARGE`. */
function checkSize(
  builder: RecordBatchBuilder,
  index: number,
  key: Uint8Array | null,
  { maxRecordBytes }: SourceTarget,
): void {
  const keyBytes = key?.length ?? 0;
  if (builder.sizeAt(index) + keyBytes <= maxRecordBytes) return;
  const bytes = builder.payloadAt(index) - (builder.keyAt(index)?.length ?? 0) + keyBytes;
  if (bytes <= maxRecordBytes) return;
  const message = `setting the key of a record: it takes ${bytes} bytes with it, and the record limit is ${maxRecordBytes}`;
  throw new SluiceError('RECORD_TOO_LARGE', message);
}

function planSplit(builder: RecordBatchBuilder, partition: number, target: SourceTarget, plan: RegionPlan): Move {
  const regionOf = new Int32Array(builder.count);
  const from = plan.close();
  for (let index = 0; index < builder.count; index++) {
    regionOf[index] = plan.reserve(target, partition, builder.sizeAt(index) + RESTAMP_BYTES);
  }
  return { builder, regionOf, keys: null, from, to: plan.close() };
}

function copyRecords({ builder, regionOf, keys }: Move, regions: OpenRegions): void {
  for (let index = 0; index < builder.count; index++) {
    const region = regionOf[index]!;
    if (region < 0) continue;
    const to = regions.builder(region);
    const copied =
      keys === null
        ? to.appendRecord(builder, index)
        : to.append(builder.valueAt(index), keys[index], builder.timestampAt(index), builder.headersAt(index));
    if (!copied) throw new Error('copying a record into a region that was planned too small');
  }
}

function sealParcel(parcel: Parcel, move: Move | undefined, regions: OpenRegions, target: SourceTarget): SealedBatch[] {
  const { topic, compression } = target;
  if (move !== undefined) return regions.seal(move.from, move.to, compression);
  const { builder, sealed, partition } = parcel;
  if (sealed !== null) return sealed.batches.map(({ bytes, count }) => ({ topic, partition, bytes, count }));
  if (builder === null) return [];
  return [{ topic, partition, bytes: sealBatch(builder, { compression }), count: builder.count }];
}

function savedBeside(emits: readonly Emit[], target: SourceTarget, savesPositions: boolean): CommitRequest {
  const newest = new Map<string, Position | null>();
  const dedupe: { source: string; id: string; atMs: number }[] = [];
  for (const { positions, dedupeIds } of emits) {
    for (const [partition, position] of positions) {
      // A deletion claims nothing about what came before it.
      if (savesPositions || position === null) newest.set(partition, position);
    }
    for (const id of dedupeIds) dedupe.push({ source: target.source, id, atMs: target.clock.now() });
  }
  return {
    ...(newest.size > 0
      ? { positions: [...newest].map(([partition, position]) => [target.source, partition, position] as const) }
      : {}),
    ...(dedupe.length > 0 ? { dedupe } : {}),
  };
}

function deadLetterTarget(target: SourceTarget, letters: readonly DeadLetter[]): DeadLetterTarget {
  if (target.deadLetter !== null) return target.deadLetter;
  throw new SluiceError('DEAD_LETTER_OFF', `refusing ${letters.length} records of source "${target.source}"`);
}
