import { createHash } from 'node:crypto';
import type { Json, Static } from '../api/index.ts';
import { convertWords } from './convert.ts';
import type { LegDraft } from './load-leg.ts';
import { pipelineOptions, type topicOptions } from './pipeline-schema.ts';
import type { PipelinePlan, SinkPlan, SourcePlan, TopicPlan } from './plan.ts';
import { mapValues, plainSchema } from './schema.ts';
import type { YamlFile } from './yaml-file.ts';

export type PipelineSettings = Static<typeof pipelineOptions>;

interface Parts {
  readonly file: YamlFile;
  readonly settings: PipelineSettings;
  readonly legs: readonly LegDraft[];
  readonly name: string;
  readonly deadLetterTopic: string | null;
}

/** Null when a leg is wrong. */
export function pipelinePlan({ file, settings, legs, name, deadLetterTopic }: Parts): PipelinePlan | null {
  const sources = legs.filter(({ kind }) => kind === 'source').map((leg) => sourcePlan(leg, settings.delivery));
  const sinks = legs.filter(({ kind }) => kind === 'sink').map(sinkPlan);
  if (!sources.every((plan) => plan !== null) || !sinks.every((plan) => plan !== null)) return null;
  const { dead_letter: deadLetter } = settings;
  return {
    name,
    file: file.file,
    isolation: settings.isolation,
    topic: topicPlan(settings.topic),
    sources,
    sinks,
    deadLetter:
      deadLetter === 'off'
        ? { topic: null, maxBytes: 0, maxRate: null }
        : {
            topic: deadLetterTopic,
            maxBytes: deadLetter.max_size,
            maxRate: deadLetter.max_rate === 'off' ? null : deadLetter.max_rate,
          },
    configHash: createHash('sha256').update(file.text).digest('hex').slice(0, 12),
  };
}

function topicPlan(topic: string | Static<typeof topicOptions>): TopicPlan {
  const options = typeof topic === 'string' ? defaultTopic(topic) : topic;
  return {
    name: options.name,
    partitions: options.partitions,
    replicationFactor: options.replication_factor ?? null,
    config: mapValues(options.config, String),
    compression: options.compression,
    retentionMs: options.retention.age,
    retentionBytes: options.retention.size,
    maxRecordBytes: options.max_record,
  };
}

function defaultTopic(name: string): Static<typeof topicOptions> {
  const { anyOf = [] } = plainSchema(pipelineOptions).properties?.topic ?? {};
  return convertWords({ anyOf }, { name }, '/') as Static<typeof topicOptions>;
}

function sourcePlan(leg: LegDraft, general: SourcePlan['delivery'] | undefined): SourcePlan | null {
  const { name, settings, definition, entry } = leg;
  if (name === null || settings === null || definition?.kind !== 'source') return null;
  return {
    name,
    connector: definition.name,
    options: entry.options,
    decode: settings.decode ?? 'json',
    key: textOf(entry.words.key),
    partitionBy: settings.partition_by ?? 'source',
    delivery: settings.delivery ?? general ?? 'at_least_once',
    placement: definition.placement,
    rewinds: definition.rewinds,
  };
}

function sinkPlan(leg: LegDraft): SinkPlan | null {
  const { name, settings, definition, entry } = leg;
  if (name === null || definition?.kind !== 'sink' || settings?.batch === undefined || settings.retry === undefined)
    return null;
  const { batch, retry } = settings;
  return {
    name,
    connector: definition.name,
    options: entry.options,
    decode: settings.decode ?? 'json',
    where: textOf(entry.words.where),
    takes: definition.takes ?? 'records',
    start: settings.start ?? 'earliest',
    batch: { maxRecords: batch.max_records, maxBytes: batch.max_bytes, maxAgeMs: batch.max_age },
    retry: { minMs: retry.min, maxMs: retry.max },
  };
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
