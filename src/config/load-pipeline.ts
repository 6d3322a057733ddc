import { dirname } from 'node:path';
import type { Json } from '../api/index.ts';
import { refuseReferences } from './check-texts.ts';
import { convertWords } from './convert.ts';
import { loadLeg, type LegDraft } from './load-leg.ts';
import { checkPart, type LoadContext } from './load-context.ts';
import { isName, reservedTopicFault } from './names.ts';
import { topicPath, type PipelineDraft } from './pipeline-draft.ts';
import { pipelinePlan, type PipelineSettings } from './pipeline-plan.ts';
import { pipelineOptions } from './pipeline-schema.ts';
import type { ValuePath } from './problems.ts';
import { isObject, own, plainSchema } from './schema.ts';
import type { YamlFile } from './yaml-file.ts';

export async function loadPipeline(context: LoadContext, file: YamlFile): Promise<PipelineDraft> {
  const schema = plainSchema(pipelineOptions);
  const part = { file, path: [], schema, value: file.value };
  const isWithoutReferences = refuseReferences(context, part);
  const isValid = checkPart(context, { ...part, subject: 'the pipeline' }) && isWithoutReferences;
  const legs = await loadLegs(context, file);
  const name = nameOf(file.value);
  const topic = topicOf(file.value);
  const settings = isValid ? (convertWords(schema, file.value, dirname(file.file)) as PipelineSettings) : null;
  const deadLetterTopic = deadLetterTopicOf(file.value, name);
  checkTopicNames(context, file, topic, deadLetterTopic);
  checkLegs(context, file, legs);
  if (isValid) checkDelivery(context, file, legs);
  const plan =
    settings === null || name === null ? null : pipelinePlan({ file, settings, legs, name, deadLetterTopic });
  return { file, name, topic, deadLetterTopic, writesTopic: hasSources(file.value), legs, plan };
}

async function loadLegs(context: LoadContext, file: YamlFile): Promise<LegDraft[]> {
  const legs: LegDraft[] = [];
  if (!isObject(file.value)) return legs;
  for (const [kind, list] of [
    ['source', 'sources'],
    ['sink', 'sinks'],
  ] as const) {
    const entries = own(file.value, list);
    if (!Array.isArray(entries)) continue;
    for (const [index, value] of (entries as readonly Json[]).entries())
      legs.push(await loadLeg(context, file, { kind, path: [list, index], value }));
  }
  return legs;
}

/** The name of a pipeline, if it has a good one. */
export function nameOf(value: Json): string | null {
  const name = isObject(value) ? own(value, 'name') : undefined;
  return typeof name === 'string' && isName(name) ? name : null;
}

function topicOf(value: Json): string | null {
  const topic = isObject(value) ? own(value, 'topic') : undefined;
  const name = isObject(topic) ? own(topic, 'name') : topic;
  return typeof name === 'string' ? name : null;
}

function deadLetterTopicOf(value: Json, pipeline: string | null): string | null {
  const option = isObject(value) ? own(value, 'dead_letter') : undefined;
  if (typeof option === 'string') return null;
  const topic = isObject(option) ? own(option, 'topic') : undefined;
  if (typeof topic === 'string') return topic;
  return pipeline === null ? null : `${pipeline}.dead`;
}

function hasSources(value: Json): boolean {
  const sources = isObject(value) ? own(value, 'sources') : undefined;
  return sources !== undefined && !isEmptyList(sources);
}

function checkTopicNames(
  { problems }: LoadContext,
  file: YamlFile,
  topic: string | null,
  deadLetterTopic: string | null,
): void {
  const check = (name: string | null, path: ValuePath): void => {
    const fault = name === null ? null : reservedTopicFault(name);
    if (fault !== null) problems.add(file, path, { code: 'CONFIG_BAD_NAME', message: `a topic’s name ${fault}` });
  };
  check(topic, topicPath(file));
  check(deadLetterTopic, ['dead_letter', 'topic']);
}

function checkLegs({ problems }: LoadContext, file: YamlFile, legs: readonly LegDraft[]): void {
  if (legs.length === 0 && isObject(file.value) && isEmptyList(file.value.sources) && isEmptyList(file.value.sinks)) {
    const message = 'the pipeline has neither sources nor sinks';
    problems.add(file, ['name'], { code: 'CONFIG_NO_LEGS', message, at: 'key' });
  }
  const seen = new Map<string, LegDraft>();
  for (const leg of legs) {
    if (leg.name === null) continue;
    const identity = `${leg.kind} ${leg.name}`;
    const first = seen.get(identity);
    if (first === undefined) seen.set(identity, leg);
    else problems.add(file, namePath(leg), { ...duplicateName(file, leg, first), at: 'key' });
  }
}

function duplicateName(
  file: YamlFile,
  { kind, name }: LegDraft,
  first: LegDraft,
): { code: 'CONFIG_DUPLICATE_NAME'; message: string } {
  const { line } = file.place(namePath(first), 'key');
  const message = `another ${kind} is named \`${name ?? ''}\` (line ${line}); give this one a \`name\` of its own`;
  return { code: 'CONFIG_DUPLICATE_NAME', message };
}

/** Where the name of a leg comes from. */
function namePath({ path, entry }: LegDraft): ValuePath {
  return [...path, own(entry.words, 'name') === undefined ? (entry.connector ?? '') : 'name'];
}

/** A client that pushes cannot be asked to send again. */
function checkDelivery({ problems }: LoadContext, file: YamlFile, legs: readonly LegDraft[]): void {
  const general = (file.value as { delivery?: string }).delivery;
  for (const { path, name, definition, settings } of legs) {
    if (definition?.kind !== 'source' || definition.rewinds) continue;
    if ((settings?.delivery ?? general) !== 'exactly_once') continue;
    const isOwn = settings?.delivery !== undefined;
    const source = `the source ${name ?? definition.name}`;
    const remedy = isOwn ? 'leave `delivery` out' : 'set `delivery: at_least_once` beside it';
    const message = `the input of ${source} cannot be read again, so it is at-least-once; ${remedy}`;
    problems.add(file, isOwn ? [...path, 'delivery'] : ['delivery'], { code: 'CONFIG_CANNOT_REWIND', message });
  }
}

function isEmptyList(value: Json | undefined): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}
