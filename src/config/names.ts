/** Of hubs, pipelines, sources and sinks: they make folders, consumer groups and metrics. */
export const NAME_PATTERN = '^[a-z0-9][a-z0-9_-]{0,62}$';
export const NAME_RULE = 'up to 63 lower-case letters, digits, `_` and `-`, a letter or a digit first';
/** Kafka's own rule. */
export const TOPIC_PATTERN = '^[A-Za-z0-9._-]{1,249}$';
export const TOPIC_RULE = 'up to 249 letters, digits, `.`, `_` and `-`';

export function isName(text: string): boolean {
  return new RegExp(NAME_PATTERN).test(text);
}

/** What is wrong with a topic's name although its characters are right; null when nothing is. */
export function reservedTopicFault(text: string): string | null {
  if (text === '.' || text === '..') return 'must not be `.` or `..`';
  return text.startsWith('__') ? 'must not begin with `__`, which is for topics of the system' : null;
}
