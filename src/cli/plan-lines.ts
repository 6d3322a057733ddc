import { formatDuration, formatSize } from '../config/index.ts';
import type { KafkaSettings } from '../kafka/index.ts';
import { kafkaText } from './kafka-text.ts';
import { counted } from './numbers.ts';
import type { PlannedLeg, PlannedPipeline } from './planned-pipelines.ts';

/** Where topics are, and how hubs share the work. */
export function kafkaLines(kafka: KafkaSettings, group: string): readonly string[] {
  const { client } = kafka;
  const takeover =
    client.group_protocol === 'consumer'
      ? `a hub that is silent for as long as the brokers allow (group.consumer.session.timeout.ms, 45 s by default)`
      : `a hub that is silent for ${formatDuration(client.session_timeout)}`;
  return [kafkaText(kafka), `  ${takeover} loses its partitions to the others of group ${group}`];
}

/** A block for each pipeline: its legs with promise, tier and identity, below each what the promise does not cover. */
export function planLines(
  { name, topic, isReader, legs, deadLetterTopic }: PlannedPipeline,
  where: 'embedded' | 'kafka',
  /** Of a topic that is known to be there. */
  existing?: number,
): readonly string[] {
  const title = ({ kind, name: leg, connector }: PlannedLeg): string =>
    `${kind} ${leg}${leg === connector ? '' : ` (${connector})`}`;
  const widest = Math.max(`topic ${topic.name}`.length, ...legs.map((leg) => title(leg).length));
  const row = (head: string, text: string): string => `  ${head.padEnd(widest)}   ${text}`;
  const promises = Math.max(...legs.map(({ promise }) => promise.length));
  const legLines = (kind: PlannedLeg['kind']): readonly string[] =>
    legs
      .filter((leg) => leg.kind === kind)
      .flatMap((leg) => [
        row(title(leg), `${leg.promise.padEnd(promises)}   ${tier(leg)}   ${leg.identity}`),
        ...(leg.where === null ? [] : [row('', `where ${leg.where}`)]),
        ...(leg.fencedBy === null ? [] : [row('', `fenced by ${leg.fencedBy}`)]),
        ...(leg.window === null ? [] : [row('', leg.window)]),
        ...leg.holes.map((hole) => row('', `hole: ${hole}`)),
      ]);
  return [
    name,
    ...legLines('source'),
    row(`topic ${topic.name}`, topicText(topic, { where, isReader, existing })),
    ...legLines('sink'),
    row('dead letters', deadLetterTopic ?? 'off: a refused record pauses its leg'),
  ];
}

function tier({ parsedFor }: PlannedLeg): string {
  return (parsedFor.length === 0 ? 'passes through' : `parses (${parsedFor.join(', ')})`).padEnd(14);
}

function topicText(
  topic: PlannedPipeline['topic'],
  { where, isReader, existing }: { where: 'embedded' | 'kafka'; isReader: boolean; existing: number | undefined },
): string {
  const { partitions, compression, retentionMs, retentionBytes, replicationFactor } = topic;
  if (existing !== undefined) return `kafka: ${counted(existing, 'partition')} exist${existing === 1 ? 's' : ''}`;
  if (isReader) return where === 'kafka' ? 'kafka: as it is' : 'embedded: written by another pipeline';
  const compressed = compression === 'none' ? [] : [compression];
  const shape = [counted(partitions, 'partition'), ...compressed];
  if (where === 'embedded')
    return `embedded: ${[...shape, `kept ${formatDuration(retentionMs)} and ${formatSize(retentionBytes)} at the most`].join(', ')}`;
  const copies = `replication ${replicationFactor ?? 'as the brokers have it'}`;
  return `kafka: created when it is missing: ${[...shape, copies, `kept ${formatDuration(retentionMs)}`].join(', ')}`;
}
