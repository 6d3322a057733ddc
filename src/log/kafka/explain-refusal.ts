import type { SluiceError } from '../../api/index.ts';
import type { SealedBatch } from '../topic-log.ts';
import { hasCode, writeError } from './log-errors.ts';
import type { TopicTable } from './topic-table.ts';

/** In the words of the topic log. A topic that is not there, or not as it was, is looked at again, so that the next attempt knows it as it is. */
export async function explainRefusal(
  thrown: unknown,
  batches: readonly Pick<SealedBatch, 'topic'>[],
  { topics, signal }: { readonly topics: TopicTable; readonly signal: AbortSignal },
): Promise<SluiceError> {
  const names = [...new Set(batches.map(({ topic }) => topic))];
  const action = names.length === 0 ? 'saving positions' : `writing to topic "${names.join('", "')}"`;
  if (hasCode(thrown, 'TOPIC_UNKNOWN', 'RECORD_TOO_LARGE'))
    await Promise.allSettled(names.map((name) => topics.refresh(name, signal)));
  return writeError(thrown, action);
}
