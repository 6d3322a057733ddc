import { isDeepStrictEqual } from 'node:util';
import { bufferBytesFor } from '../record/index.ts';
import { checkJobSinks } from './check-job-sinks.ts';
import { legBufferBytes } from './leg-buffers.ts';
import { checkLogOptions } from './log-options.ts';
import type { HubDraft } from './load-hub-file.ts';
import { topicPath, whereIs, type PipelineDraft } from './pipeline-draft.ts';
import type { HubPlan, PipelinePlan, TopicPlan } from './plan.ts';
import type { ProblemList } from './problems.ts';
import { isObject } from './schema.ts';
import { checkResources } from './resources.ts';

interface Report {
  readonly problems: ProblemList;
  readonly cwd: string;
}

/** What can only be seen over all pipelines of a hub. Returns their plans. */
export function crossCheck(drafts: readonly PipelineDraft[], hub: HubDraft, report: Report): readonly PipelinePlan[] {
  checkNames(drafts, report);
  checkWriters(drafts, report);
  checkDeadLetters(drafts, report);
  checkReaders(drafts, hub.plan, report);
  checkLogOptions(drafts, hub.plan, report.problems);
  checkJobSinks(drafts, hub.plan, report.problems);
  checkResources(drafts, hub, report);
  const plans = drafts.flatMap(({ plan }) => (plan === null ? [] : [withTopic(plan, drafts)]));
  checkRecordLimits(drafts, hub.plan, report);
  checkListenerMemory(drafts, hub.plan, report);
  return plans;
}

function checkNames(drafts: readonly PipelineDraft[], { problems, cwd }: Report): void {
  const seen = new Map<string, PipelineDraft>();
  for (const draft of drafts) {
    if (draft.name === null) continue;
    const first = seen.get(draft.name);
    if (first === undefined) seen.set(draft.name, draft);
    else {
      const message = `another pipeline is named \`${draft.name}\` (${whereIs(first, ['name'], cwd)}); rename one`;
      problems.add(draft.file, ['name'], { code: 'CONFIG_DUPLICATE_NAME', message });
    }
  }
}

/** The ends of a topic are in the journal of the one pipeline that writes it. */
function checkWriters(drafts: readonly PipelineDraft[], { problems, cwd }: Report): void {
  const writers = new Map<string, PipelineDraft>();
  for (const draft of drafts) {
    if (draft.topic === null || !draft.writesTopic) continue;
    const first = writers.get(draft.topic);
    if (first === undefined) writers.set(draft.topic, draft);
    else {
      const message = `the topic \`${draft.topic}\` is written by another pipeline (${whereIs(first, ['topic'], cwd)}); put the sources into one pipeline, or use two topics`;
      problems.add(draft.file, topicPath(draft.file), { code: 'CONFIG_TOPIC_CONFLICT', message });
    }
  }
}

function checkDeadLetters(drafts: readonly PipelineDraft[], { problems, cwd }: Report): void {
  const owners = new Map<string, PipelineDraft>();
  for (const draft of drafts) {
    const { deadLetterTopic: topic } = draft;
    if (topic === null) continue;
    const report = (message: string): void => {
      problems.add(draft.file, ['dead_letter', 'topic'], { code: 'CONFIG_TOPIC_CONFLICT', message });
    };
    const owner = owners.get(topic);
    const writer = drafts.find((other) => other.topic === topic && other.writesTopic);
    if (owner !== undefined)
      report(
        `the dead-letter topic \`${topic}\` is that of another pipeline (${whereIs(owner, ['dead_letter'], cwd)})`,
      );
    else if (draft.topic === topic) report(`the dead-letter topic \`${topic}\` is the topic of the pipeline itself`);
    else if (writer !== undefined)
      report(`the dead-letter topic \`${topic}\` is written by a pipeline (${whereIs(writer, ['topic'], cwd)})`);
    if (owner === undefined) owners.set(topic, draft);
  }
}

function checkReaders(drafts: readonly PipelineDraft[], { kafka }: Pick<HubPlan, 'kafka'>, { problems }: Report): void {
  const written = new Set(drafts.flatMap(({ topic, writesTopic }) => (writesTopic ? [topic] : [])));
  const kept = new Set(drafts.map(({ deadLetterTopic }) => deadLetterTopic));
  for (const draft of drafts) {
    const { topic, writesTopic } = draft;
    if (topic === null || writesTopic || draft.legs.length === 0) continue;
    checkDescription(draft, drafts, problems);
    // A topic in Kafka may be anybody's.
    if (written.has(topic) || kept.has(topic) || kafka !== null) continue;
    const message = `no pipeline of this run writes the topic \`${topic}\`; only what is in it already will be read`;
    problems.add(draft.file, topicPath(draft.file), { code: 'CONFIG_TOPIC_UNWRITTEN', message, severity: 'warning' });
  }
}

/** What a reader says of a topic is no more than a reminder: the writer made it. */
function checkDescription(
  { file, plan }: PipelineDraft,
  drafts: readonly PipelineDraft[],
  problems: ProblemList,
): void {
  const described = isObject(file.value) ? file.value.topic : undefined;
  const writer = drafts.find(({ topic, writesTopic }) => writesTopic && topic === plan?.topic.name)?.plan ?? null;
  if (plan === null || writer === null || !isObject(described)) return;
  const { topic } = writer;
  for (const [option, isSame] of [
    ['partitions', topic.partitions === plan.topic.partitions],
    ['replication_factor', topic.replicationFactor === plan.topic.replicationFactor],
    ['config', isDeepStrictEqual(topic.config, plan.topic.config)],
    ['compression', topic.compression === plan.topic.compression],
    ['max_record', topic.maxRecordBytes === plan.topic.maxRecordBytes],
    ['retention', topic.retentionMs === plan.topic.retentionMs && topic.retentionBytes === plan.topic.retentionBytes],
  ] as const) {
    if (isSame || !Object.hasOwn(described, option)) continue;
    const message = `the pipeline ${writer.name}, which writes the topic, describes it otherwise; leave \`${option}\` out here`;
    problems.add(file, ['topic', option], { code: 'CONFIG_TOPIC_DIFFERS', message });
  }
}

/** A reader sees the topic as its writer describes it. */
function withTopic(plan: PipelinePlan, drafts: readonly PipelineDraft[]): PipelinePlan {
  if (plan.sources.length > 0) return plan;
  const writer = drafts.find(({ topic, writesTopic }) => writesTopic && topic === plan.topic.name);
  const topic: TopicPlan | undefined = writer?.plan?.topic;
  return topic === undefined ? plan : { ...plan, topic };
}

/** A record that fits into no leg's buffers could never be read. */
function checkRecordLimits(
  drafts: readonly PipelineDraft[],
  hub: Omit<HubPlan, 'pipelines'>,
  { problems }: Report,
): void {
  // One that is wrong will run once it is right.
  const pipelines = drafts.map(({ plan }) => ({ isolation: plan?.isolation ?? 'shared' }));
  for (const { plan, file } of drafts) {
    if (plan === null) continue;
    const share = legBufferBytes({ ...hub, pipelines }, plan);
    // An eighth is kept for dead letters.
    if (bufferBytesFor(plan.topic.maxRecordBytes) <= share * (7 / 8)) continue;
    const mib = Math.floor(share / 1024 / 1024);
    const message = `each leg has ${mib} MiB of record buffers here, less than \`max_record\`; raise \`buffer_size\` in the hub file, or lower it`;
    problems.add(file, ['topic', 'max_record'], { code: 'CONFIG_RECORD_LIMIT', message });
  }
}

/** What is above it would be refused for ever. */
function checkListenerMemory(
  drafts: readonly PipelineDraft[],
  { listenerBytes }: Pick<HubPlan, 'listenerBytes'>,
  { problems }: Report,
): void {
  for (const { legs, file } of drafts) {
    for (const { definition, preview, path } of legs) {
      const limit = preview === null ? undefined : (preview as { readonly max_in_flight?: unknown }).max_in_flight;
      if (definition === null || typeof limit !== 'number' || limit <= listenerBytes) continue;
      const mib = Math.floor(listenerBytes / 1024 / 1024);
      const message = `all listeners of a worker together may hold ${mib} MiB; raise \`listener_memory\` in the hub file, or lower this`;
      problems.add(file, [...path, definition.name, 'max_in_flight'], { code: 'CONFIG_LISTENER_MEMORY', message });
    }
  }
}
