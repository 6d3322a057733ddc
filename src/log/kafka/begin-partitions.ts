import { SluiceError, type Logger } from '../../api/index.ts';
import type { KafkaMember } from '../../kafka/index.ts';
import { findStarts, type AssignedPartition, type FindStartsOptions, type PartitionStart } from './find-starts.ts';
import { hasCode } from './log-errors.ts';
import type { Reason } from './start-rules.ts';

interface BeginPartitionsOptions extends FindStartsOptions {
  readonly member: Pick<KafkaMember, 'commit'>;
  readonly log: Logger;
}

/** Of these the state record alone tells the next start as much as the group's offset would. */
const SAID_BY_STATE: readonly Reason[] = ['new', 'new partition', 'offset was gone'];

/** Finds where a sink goes on in the partitions that its group assigned, and saves that before anything is read. */
export async function beginPartitions(
  assigned: readonly AssignedPartition[],
  options: BeginPartitionsOptions,
): Promise<readonly PartitionStart[]> {
  const starts = await findStarts(assigned, options);
  for (const start of starts) tell(start, options);
  await options.states.save(starts.map(({ partition, start: { state } }) => [partition, state] as const));
  const moved = starts.filter(({ committed, start: { state } }) => state.next !== committed);
  if (moved.length > 0) await commitStarts(moved, options);
  return starts;
}

async function commitStarts(
  moved: readonly PartitionStart[],
  { member, topic }: BeginPartitionsOptions,
): Promise<void> {
  try {
    await member.commit(moved.map(({ partition, start: { state } }) => ({ topic, partition, next: state.next })));
  } catch (error) {
    if (!hasCode(error, 'KAFKA_REBALANCED')) throw error;
    if (moved.every(({ start: { why } }) => SAID_BY_STATE.includes(why))) return;
    throw new SluiceError('LOG_IO', `saving where a sink begins to read topic "${topic}"`, {
      retryable: true,
      cause: error,
    });
  }
}

function tell(
  { partition, committed, start: { state, why } }: PartitionStart,
  { topic, log }: BeginPartitionsOptions,
): void {
  const fields = { topic, partition, next: state.next, committed, why };
  if (why === 'goes on') log.debug(fields, 'sink goes on with a partition');
  else if (why === 'new' || why === 'new partition') log.info(fields, 'sink begins to read a partition');
  else log.warn(fields, 'sink reads a partition from another offset than it had saved');
}
