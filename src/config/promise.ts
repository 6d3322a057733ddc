import { dirname } from 'node:path';
import type { ConnectorDefinition, SinkDefinition } from '../api/index.ts';
import { readsValue, templateReadsValue } from '../expression/index.ts';
import { previewOptions } from './convert.ts';
import type { LegPlan, PipelinePlan, SinkPlan, SourcePlan } from './plan.ts';
import { hasReference } from './references.ts';
import { plainSchema, visitScalars } from './schema.ts';
import { formatDuration } from './units.ts';

/** What is promised of a leg, and by what it is known, for `plan`. */
export interface LegPromise {
  readonly promise: SinkDefinition['promise'];
  /** Where the promise ends, one line each. */
  readonly holes: readonly string[];
  /** What looks into records, so that each is parsed once: `where`, `key`, options. Empty: batches pass through. */
  readonly parsedFor: readonly string[];
  /** What the saved state goes by: the consumer group of a sink, the prefix of the checkpoints of a source. Another name starts anew. */
  readonly identity: string;
}

/** `group` is the hub's. `definition` is that of the leg's connector. */
export function legPromise(
  definition: ConnectorDefinition,
  leg: SourcePlan | SinkPlan,
  { pipeline, group }: { pipeline: Pick<PipelinePlan, 'name' | 'file'>; group: string },
): LegPromise {
  const { name } = pipeline;
  const parsedFor = whatParses(definition, leg);
  if (definition.kind === 'source')
    return { ...sourcePromise(definition), parsedFor, identity: `${group}/${name}/source/${leg.name}` };
  const options = previewOptions(definition, leg.options, dirname(pipeline.file));
  const holes = definition.holes?.(options as never) ?? [];
  return { promise: definition.promise, holes, parsedFor, identity: `sluice.${group}.${name}.sink.${leg.name}` };
}

/** The embedded log saves records and positions in one commit, whatever `delivery` asks for. */
function sourcePromise({
  rewinds,
  dedupe,
}: Extract<ConnectorDefinition, { kind: 'source' }>): Pick<LegPromise, 'promise' | 'holes'> {
  if (rewinds) return { promise: 'exactly-once', holes: [] };
  const repeats =
    dedupe === undefined
      ? 'what was read and is not durable yet is lost when the hub is killed: its input cannot be read again'
      : `input that is sent again is taken again, unless it has an id that was seen within ${formatDuration(dedupe.windowMs)}`;
  return { promise: 'at-least-once', holes: [repeats] };
}

function whatParses(definition: ConnectorDefinition, leg: LegPlan & Partial<SourcePlan & SinkPlan>): string[] {
  const found: string[] = [];
  const { key, where } = leg;
  if (typeof key === 'string' && readsValue(key)) found.push('key');
  if (typeof where === 'string' && readsValue(where)) found.push('where');
  visitScalars(plainSchema(definition.options), leg.options, ({ format }, text, path) => {
    if (typeof text !== 'string' || hasReference(text)) return;
    const reads = (format === 'template' && templateReadsValue(text)) || (format === 'expression' && readsValue(text));
    if (reads) found.push(String(path[0]));
  });
  return [...new Set(found)];
}
