/** Of hubs, pipelines, sources and sinks: they make folders, consumer groups and metrics. */
export const NAME_PATTERN = '^[a-z0-9][a-z0-9_-]{0,62}$';
/** Kafka's own rule. */
export const TOPIC_PATTERN = '^[A-Za-z0-9._-]{1,249}$';

export function isName(text: string): boolean {
  return new RegExp(NAME_PATTERN).test(text);
}

/** What is wrong with a topic's name; null when nothing is. */
export function topicNameFault(text: string): string | null {
  if (!new RegExp(TOPIC_PATTERN).test(text)) return 'must be up to 249 letters, digits, `.`, `_` and `-`';
  if (text === '.' || text === '..') return 'must not be `.` or `..`';
  return text.startsWith('__') ? 'must not begin with `__`, which is for topics of the system' : null;
}
