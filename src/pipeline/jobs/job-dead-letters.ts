import type { SluiceError, TopicPartition } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import { createDeadLetter } from '../dead-letter.ts';
import { deadLetterOrigin, deadLetterTarget, type LegDependencies } from '../leg.ts';
import { RegionPlan } from '../regions.ts';
import { offsetsIn, type Intent } from './intent.ts';

interface GivenUp {
  readonly intent: Intent;
  readonly error: SluiceError;
  readonly leg: { readonly name: string; readonly connector: string };
}

/**
 * Keeps a batch that was given up among the dead letters: one for each partition that it has something of, at its first offset, with the ranges in the place of the records. False when
 * the pipeline keeps none. Durable when it resolves.
 */
export async function keepGivenUp(
  { intent, error, leg }: GivenUp,
  dependencies: LegDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const target = deadLetterTarget(dependencies);
  if (target === null) return false;
  const { pool, clock, pipeline, topicLog } = dependencies;
  const origin = deadLetterOrigin(dependencies, leg);
  const at = clock.now();
  const refusal = { stage: 'write', error, attempts: intent.failures, firstAt: intent.createdAt, lastAt: at } as const;
  const plan = new RegionPlan();
  const letters = intent.ranges.flatMap((range) => {
    if (range.to === range.from) return [];
    const partition: TopicPartition = {
      topic: intent.topic,
      partition: range.partition,
      incarnation: intent.incarnation,
    };
    const record = {
      key: Buffer.from(intent.id),
      value: Buffer.from(JSON.stringify(reference(intent, range))),
      timestamp: at,
      headers: [],
    };
    const place = { partition, offset: range.from };
    const letter = createDeadLetter(record, refusal, {
      origin,
      place,
      partition: range.partition % target.partitions,
      maxBatchBytes: target.maxBatchBytes,
    });
    return [{ letter, region: plan.reserve(target, letter.partition, letter.byteLength) }];
  });
  const count = plan.close();
  const regions = await plan.open(pool, signal);
  try {
    for (const { letter, region } of letters)
      regions.builder(region).append(letter.value, letter.key, letter.timestamp, letter.headers);
    const committed = topicLog.commit({ batches: regions.seal(0, count, pipeline.topic.compression) });
    crashPoint('dead-letter-sent');
    await committed;
    crashPoint('dead-letter-acknowledged');
  } finally {
    regions.release();
  }
  return true;
}

function reference(
  { id, topic, incarnation, ranges }: Intent,
  { partition, from, to }: Intent['ranges'][number],
): object {
  return { batch: id, topic, incarnation, partition, from, to, offsets_in_batch: offsetsIn(ranges) };
}
