import { formatDuration, formatSize } from '../config/index.ts';
import { counted } from './numbers.ts';
import type { PlannedLeg, PlannedPipeline } from './planned-pipelines.ts';

/** A block for each pipeline: its legs with promise, tier and identity, below each what the promise does not cover. */
export function planLines({ name, topic, isReader, legs, deadLetterTopic }: PlannedPipeline): readonly string[] {
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
        ...leg.holes.map((hole) => row('', `hole: ${hole}`)),
      ]);
  return [
    name,
    ...legLines('source'),
    row(`topic ${topic.name}`, isReader ? 'embedded: written by another pipeline' : topicText(topic)),
    ...legLines('sink'),
    row('dead letters', deadLetterTopic ?? 'off: a refused record pauses its leg'),
  ];
}

function tier({ parsedFor }: PlannedLeg): string {
  return (parsedFor.length === 0 ? 'passes through' : `parses (${parsedFor.join(', ')})`).padEnd(14);
}

function topicText({ partitions, compression, retentionMs, retentionBytes }: PlannedPipeline['topic']): string {
  const compressed = compression === 'none' ? [] : [compression];
  const kept = `kept ${formatDuration(retentionMs)} and ${formatSize(retentionBytes)} at the most`;
  return `embedded: ${[counted(partitions, 'partition'), ...compressed, kept].join(', ')}`;
}
