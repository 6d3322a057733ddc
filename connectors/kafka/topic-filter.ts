import type { KafkaClient, KafkaTopic } from 'sluice/kafka';
import type { SourceOptions } from './options.ts';

type Filter = Pick<SourceOptions, 'topics' | 'topic_pattern'>;

/** What a member of a group subscribes to, and how people call it. */
export function topicFilter({ topics, topic_pattern = '' }: Filter): {
  readonly topics: readonly string[] | { readonly pattern: RegExp };
  readonly text: string;
} {
  if (topics !== undefined) return { topics, text: topics.join(', ') };
  return { topics: { pattern: new RegExp(`^(?:${topic_pattern})$`, 'u') }, text: `topics like "${topic_pattern}"` };
}

/** The topics that are there now. Kafka's own are never matched by a pattern. */
export async function matchTopics(
  client: KafkaClient,
  filter: Filter,
  signal: AbortSignal,
): Promise<readonly KafkaTopic[]> {
  const { topics } = topicFilter(filter);
  if (!('pattern' in topics)) return client.topics(topics, signal);
  const all = await client.topics(null, signal);
  return all.filter(({ name, isInternal }) => !isInternal && topics.pattern.test(name));
}
