import type { LegDraft } from './load-leg.ts';
import type { PipelineDraft } from './pipeline-draft.ts';
import type { HubPlan } from './plan.ts';
import type { ProblemList, ValuePath } from './problems.ts';
import { isObject, own, type JsonObject } from './schema.ts';

/** What a pipeline asks of its topic that depends on where topics live. */
export function checkLogOptions(
  drafts: readonly PipelineDraft[],
  { kafka }: Pick<HubPlan, 'kafka'>,
  problems: ProblemList,
): void {
  for (const draft of drafts) {
    if (kafka === null) warnOf(draft, EMBEDDED_UNUSED, problems);
    else {
      warnOf(draft, KAFKA_UNUSED, problems);
      if (isObject(kafka) && own(kafka, 'driver') === 'kafkajs') checkDelivery(draft, problems);
      checkReplicas(draft, problems);
    }
  }
}

type Unused = readonly (readonly [path: ValuePath, why: string])[];

const EMBEDDED_UNUSED: Unused = [
  [['topic', 'replication_factor'], 'on the embedded log: its topics have one copy'],
  [['topic', 'config'], 'on the embedded log: these are settings of Kafka topics'],
];

const KAFKA_UNUSED: Unused = [
  [['topic', 'retention', 'size'], 'on Kafka: there `config: { retention.bytes: … }` limits a partition'],
  [['dead_letter', 'max_size'], 'on Kafka: there dead letters stay as long as their topic keeps them'],
];

function warnOf({ file }: PipelineDraft, unused: Unused, problems: ProblemList): void {
  for (const [path, why] of unused) {
    if (valueAt(file.value, path) === undefined) continue;
    const message = `\`${path.slice(1).join('.')}\` has no effect ${why}`;
    problems.add(file, path, { code: 'CONFIG_NO_EFFECT', message, at: 'key', severity: 'warning' });
  }
}

/** The driver for old brokers has no transactions. */
function checkDelivery({ file, legs }: PipelineDraft, problems: ProblemList): void {
  const general = valueAt(file.value, ['delivery']);
  for (const { path, name, definition, settings } of legs) {
    // Those whose input cannot be read again were reported before.
    if (definition?.kind !== 'source' || !definition.rewinds) continue;
    if ((settings?.delivery ?? general) !== 'exactly_once') continue;
    const message = `the source ${name ?? definition.name} is at-least-once by the driver \`kafkajs\`, which has no transactions: leave \`delivery\` out, or \`kafka.driver\``;
    problems.add(file, deliveryPath(path, settings), { code: 'CONFIG_DELIVERY_UNSUPPORTED', message });
  }
}

function deliveryPath(path: ValuePath, settings: LegDraft['settings']): ValuePath {
  return settings?.delivery === undefined ? ['delivery'] : [...path, 'delivery'];
}

const MIN_INSYNC = 'min.insync.replicas';

/** What was acknowledged is as safe as the replicas that had to have it. */
function checkReplicas({ file, plan }: PipelineDraft, problems: ProblemList): void {
  const replicas = plan?.topic.replicationFactor ?? null;
  const written = plan?.topic.config[MIN_INSYNC];
  if (replicas === null || written === undefined) return;
  const path = ['topic', 'config', MIN_INSYNC];
  const needed = Number(written);
  if (needed > replicas) {
    const message = `\`${MIN_INSYNC}\` is ${written} and \`replication_factor\` ${replicas}: nothing could be written`;
    problems.add(file, path, { code: 'CONFIG_OPTION_CONFLICT', message });
  } else if (needed === 1 && replicas > 1) {
    const message = `with \`${MIN_INSYNC}\` 1 an acknowledged record may be on one broker only and lost with it; set 2`;
    problems.add(file, path, { code: 'CONFIG_BAD_VALUE', message, severity: 'warning' });
  }
}

function valueAt(value: PipelineDraft['file']['value'], path: ValuePath): unknown {
  let current: JsonObject[string] | undefined = value;
  for (const step of path) current = isObject(current) ? own(current, String(step)) : undefined;
  return current;
}
