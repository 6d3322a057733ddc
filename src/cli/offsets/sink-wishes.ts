import { SluiceError, type PositionTarget } from '../../api/index.ts';
import type { HubPlan } from '../../config/index.ts';
import type { SavedTopic, SavedView } from '../../log/index.ts';
import type { Wish } from './changes.ts';
import type { LegName } from './entry.ts';
import type { Wishes } from './source-wishes.ts';

interface SinkPlace {
  readonly view: SavedView;
  readonly plan: HubPlan | null;
  readonly leg: LegName;
}

/** Where a sink is to go in its topic, in all partitions or in those of these numbers. Throws `OPTION_INVALID` or `TOPIC_UNKNOWN`. */
export async function sinkWishes(
  sink: SinkPlace,
  moves: readonly { readonly place: string | null; readonly to: PositionTarget }[],
): Promise<Wishes> {
  const topic = topicOf(sink);
  const { pipeline, leg } = sink.leg;
  const wishes: Wish[] = [];
  for (const { place, to } of moves) {
    for (const partition of place === null ? topic.starts.keys() : [numberOf(place, topic)]) {
      const position = await offsetOf(sink.view, topic, { partition, to });
      const { name, incarnation } = topic;
      wishes.push({ entry: { kind: 'sink', pipeline, leg, topic: name, partition, incarnation, position } });
    }
  }
  return { wishes, left: [] };
}

function topicOf({ view, plan, leg }: SinkPlace): SavedTopic {
  const configured = plan?.pipelines.find(({ name }) => name === leg.pipeline);
  const saved = view.pipelines
    .find(({ pipeline }) => pipeline === leg.pipeline)
    ?.sinks.find(({ sink }) => sink === leg.leg);
  const isConfigured = configured?.sinks.some(({ name }) => name === leg.leg) === true;
  const name = isConfigured ? configured.topic.name : saved?.topic;
  const topic = view.topics.find((one) => one.name === name);
  if (topic !== undefined) return topic;
  throw new SluiceError(
    'TOPIC_UNKNOWN',
    `moving sink ${leg.pipeline}/${leg.leg}: its topic ${name ?? ''} is not there`,
  );
}

function numberOf(text: string, { name, partitions }: SavedTopic): number {
  const number = /^\d+$/.test(text) ? Number(text) : -1;
  if (number >= 0 && number < partitions) return number;
  throw new SluiceError(
    'OPTION_INVALID',
    `moving a sink in partition ${JSON.stringify(text)}: topic ${name} has partitions 0 to ${partitions - 1}`,
  );
}

async function offsetOf(
  view: SavedView,
  topic: SavedTopic,
  { partition, to }: { readonly partition: number; readonly to: PositionTarget },
): Promise<number> {
  switch (to.kind) {
    case 'earliest':
      return topic.starts[partition]!;
    case 'latest':
      return topic.ends[partition]!;
    case 'offset':
      return to.offset;
    case 'time':
      return view.offsetAt(topic.name, partition, to.timeMs);
  }
}
