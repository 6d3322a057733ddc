import { closingChecks } from './topic-log-contract/closing.ts';
import { commitChecks } from './topic-log-contract/commits.ts';
import { readingChecks } from './topic-log-contract/reading.ts';
import { savedStateChecks } from './topic-log-contract/saved-state.ts';
import type { TopicLogCheck } from './topic-log-contract/setting.ts';

/** What every implementation of `TopicLog` holds, sentence by sentence. Run each check with a new setting. */
export const topicLogContract: readonly TopicLogCheck[] = [
  ...commitChecks,
  ...savedStateChecks,
  ...readingChecks,
  ...closingChecks,
];
