import { SluiceError, type Clock, type Json, type Logger } from '../../api/index.ts';
import type { KafkaClient } from '../../kafka/index.ts';
import { parkingTopic } from '../parking-topic.ts';
import type { PipelineView, SavedTopic, SavedView } from '../saved-view.ts';
import { CHECKPOINT_TOPIC, CheckpointTopic } from './checkpoint-topic.ts';
import { sinkGroup } from './identities.ts';
import { readPartition } from './read-partition.ts';
import type { SinkState } from './start-rules.ts';

export interface ReadKafkaStateOptions {
  readonly client: KafkaClient;
  readonly group: string;
  /** What is configured: sinks that have saved nothing but offsets, and whose topics are whose. */
  readonly pipelines: readonly {
    readonly name: string;
    readonly topic: string;
    readonly deadLetterTopic: string | null;
    readonly writesTopic: boolean;
    readonly sinks: readonly string[];
  }[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

type Sources = PipelineView['sources'][number];
type Sinks = PipelineView['sinks'][number];

interface Found {
  readonly sources: Sources[];
  /** By sink, topic and partition. */
  readonly states: Map<string, Map<string, SinkState>>;
}

/** What the hubs of a group have saved in a cluster, beside running hubs too. Changes nothing. */
export async function readKafkaState(options: ReadKafkaStateOptions): Promise<SavedView> {
  const { client, group, pipelines, signal } = options;
  const found = new Map<string, Found>(pipelines.map(({ name, sinks }) => [name, emptyOf(sinks)]));
  for (const [key, content] of await checkpoints(options)) sort(found, key, content);
  const views: PipelineView[] = [];
  const names = new Set(
    pipelines.flatMap(({ name, topic, deadLetterTopic }) => [
      topic,
      ...(deadLetterTopic === null ? [] : [deadLetterTopic, parkingTopic(name)]),
    ]),
  );
  for (const [pipeline, { sources, states }] of found) {
    const sinks: Sinks[] = [];
    for (const [sink, known] of states) {
      const saved = await client.groupOffsets(sinkGroup({ group, pipeline, hubId: '' }, sink), signal);
      sinks.push(...standings(sink, known, saved));
    }
    for (const { topic } of sinks) names.add(topic);
    views.push({ pipeline, sources, sinks });
  }
  const topics = await describe([...names], options);
  return {
    topics,
    pipelines: views.map((view) => ({ ...view, sinks: view.sinks.map((sink) => withIncarnation(sink, topics)) })),
    read: (topic, partition, { from = 0, to = Infinity } = {}) => {
      const known = topics.find(({ name }) => name === topic);
      if (known?.ends[partition] === undefined)
        throw new SluiceError('TOPIC_UNKNOWN', `reading topic "${topic}": it has no partition ${partition} here`);
      const range = { from: Math.max(from, known.starts[partition]!), to: Math.min(to, known.ends[partition]) };
      return readPartition(client, { topic, partition, ...range });
    },
    offsetAt: async (topic, partition, timestampMs) =>
      (await client.offsets(topic, { timestampMs }, { partitions: [partition], signal })).get(partition)!,
  };
}

/** By what follows the group. */
async function checkpoints({ client, group, clock, log, signal }: ReadKafkaStateOptions): Promise<Map<string, Json>> {
  const [topic] = await client.topics([CHECKPOINT_TOPIC], signal);
  if (topic === undefined) return new Map();
  return new CheckpointTopic({ client, clock, log }, topic.partitions.length).readAll(`${group}/`, signal);
}

/** `<pipeline>/source/<name>/<partition>`, `<pipeline>/sink/<name>/<topic>/<partition>` */
function sort(found: Map<string, Found>, key: string, content: Json): void {
  const [, pipeline, kind, name, rest] = /^([^/]+)\/(source|sink)\/([^/]+)\/(.*)$/s.exec(key) ?? [];
  if (pipeline === undefined || name === undefined || rest === undefined) return;
  const own = found.get(pipeline) ?? emptyOf([]);
  found.set(pipeline, own);
  if (kind === 'source') own.sources.push({ source: name, partition: rest, position: content });
  else {
    const states = own.states.get(name) ?? new Map<string, SinkState>();
    own.states.set(name, states.set(rest, content as unknown as SinkState));
  }
}

function emptyOf(sinks: readonly string[]): Found {
  return { sources: [], states: new Map(sinks.map((sink) => [sink, new Map<string, SinkState>()])) };
}

/** The group's offset counts; where it is gone, the sink's own record. */
function standings(
  sink: string,
  states: ReadonlyMap<string, SinkState>,
  saved: readonly { readonly topic: string; readonly partition: number; readonly next: number }[],
): Sinks[] {
  const places = new Map(saved.map(({ topic, partition, next }) => [`${topic}/${partition}`, next]));
  const standings = [...new Set([...places.keys(), ...states.keys()])].map((place) => {
    const state = states.get(place);
    const at = place.lastIndexOf('/');
    return {
      sink,
      topic: place.slice(0, at),
      partition: Number(place.slice(at + 1)),
      incarnation: state?.topicId ?? '',
      next: places.get(place) ?? state?.next ?? 0,
      reset: state?.reset ?? 0,
    };
  });
  return standings.sort((one, other) => one.topic.localeCompare(other.topic) || one.partition - other.partition);
}

/** An offset without a record of its sink is taken for one of the topic that is there. */
function withIncarnation(sink: Sinks, topics: readonly SavedTopic[]): Sinks {
  if (sink.incarnation !== '') return sink;
  return { ...sink, incarnation: topics.find(({ name }) => name === sink.topic)?.incarnation ?? '' };
}

async function describe(
  names: readonly string[],
  { client, pipelines, signal }: ReadKafkaStateOptions,
): Promise<readonly SavedTopic[]> {
  const owners = new Map(
    pipelines.flatMap(({ name, topic, deadLetterTopic, writesTopic }) => [
      ...(writesTopic ? [[topic, name] as const] : []),
      ...(deadLetterTopic === null ? [] : [[deadLetterTopic, name] as const]),
    ]),
  );
  const topics = await client.topics(names, signal);
  return Promise.all(
    topics.map(async ({ name, incarnation, partitions }) => {
      const starts = await client.offsets(name, 'earliest', { signal });
      const ends = await client.offsets(name, 'stable', { signal });
      const each = Array.from(partitions, (_, partition) => partition);
      return {
        name,
        incarnation,
        partitions: partitions.length,
        owner: owners.get(name) ?? '',
        starts: each.map((partition) => starts.get(partition) ?? 0),
        ends: each.map((partition) => ends.get(partition) ?? 0),
      };
    }),
  );
}
