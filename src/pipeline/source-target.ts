import type { Clock, DataRecord } from '../api/index.ts';
import { decoderFor } from '../codec/index.ts';
import type { SourcePlan } from '../config/index.ts';
import { compileKey } from '../expression/index.ts';
import type { BufferPool, Compression } from '../record/index.ts';
import type { DeadLetterOrigin, DeadLetterTarget } from './dead-letter.ts';
import { deadLetterOrigin, deadLetterTarget, maxRecordBytesOf, type LegDependencies } from './leg.ts';
import { Partitioner } from './partitioner.ts';

/** Where a source's records go, and how. */
export interface SourceTarget {
  readonly source: string;
  readonly topic: string;
  readonly partitions: number;
  readonly compression: Compression;
  readonly maxRecordBytes: number;
  /** What the topic takes at the most as one batch. */
  readonly maxBatchBytes: number;
  readonly partitioner: Partitioner;
  /** The `key` expression; null: bytes pass as they are. */
  readonly keyOf: ((record: DataRecord) => Uint8Array | null) | null;
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Null for `dead_letter: off`. */
  readonly deadLetter: DeadLetterTarget | null;
  readonly origin: DeadLetterOrigin;
  readonly pool: BufferPool;
  readonly clock: Clock;
}

export function sourceTarget(plan: SourcePlan, dependencies: LegDependencies): SourceTarget {
  const { pipeline, topicLog, pool, clock, random } = dependencies;
  const { name, key, decode, partitionBy } = plan;
  const { partitions, maxBatchBytes } = topicLog.describe(pipeline.topic.name);
  return {
    source: name,
    topic: pipeline.topic.name,
    partitions,
    compression: pipeline.topic.compression,
    maxRecordBytes: maxRecordBytesOf(dependencies),
    maxBatchBytes,
    partitioner: new Partitioner({
      by: key === null ? partitionBy : 'batch',
      partitions,
      source: name,
      turn: random(),
    }),
    keyOf: key === null ? null : compileKey(key),
    decode: decoderFor(decode),
    deadLetter: deadLetterTarget(dependencies),
    origin: deadLetterOrigin(dependencies, plan),
    pool,
    clock,
  };
}
