import { decoderFor } from '../../codec/index.ts';
import type { HubPlan } from '../../config/index.ts';
import { compileKey, compileViewCondition } from '../../expression/index.ts';
import { readDataFolder } from '../../log/index.ts';
import { DeadLetterIndex, deadLetterTopics } from '../../pipeline/index.ts';
import { findProbe, ProbeLedger, recordBatch, type ProbeCount } from '../../testing/index.ts';
import { configuredDeadLetters } from '../dead-letters.ts';
import { viewKafka } from '../kafka-state.ts';
import type { PlannedTrial } from './plan-trial.ts';
import { keyOf, probeValues } from './probe-text.ts';
import type { TrialSetting } from './trial.ts';

export interface SinkVerdict extends ProbeCount {
  readonly sink: string;
  readonly promise: string;
  readonly deadLettered: number;
  /** First numbers that are missing. */
  readonly missing: readonly number[];
  /** Why nothing of it could be judged; null when it was. */
  readonly unjudged: string | null;
  /** What was promised and is not so, in words. */
  readonly broken: readonly string[];
}

type Sink = PlannedTrial['sinks'][number];
type Source = PlannedTrial['sources'][number];

/** Reads back what every sink wrote. */
export async function judge(trial: PlannedTrial, setting: TrialSetting): Promise<readonly SinkVerdict[]> {
  const dead = await deadProbes(trial, setting);
  const verdicts: SinkVerdict[] = [];
  for (const sink of trial.sinks) verdicts.push(await judgeSink(sink, trial, { setting, dead }));
  return verdicts;
}

async function judgeSink(
  sink: Sink,
  trial: PlannedTrial,
  { setting, dead }: { setting: TrialSetting; dead: ReadonlyMap<string, ReadonlySet<number>> },
): Promise<SinkVerdict> {
  const { name, where, decode } = sink.plan;
  const made = trial.sources.find(({ plan }) => plan.connector === 'generate');
  const unjudged = sink.unjudged ?? (where !== null && made !== undefined ? '`where` over generated records' : null);
  const wanted = trial.sources.flatMap((source) =>
    where === null || unjudged !== null
      ? Array.from({ length: source.count }, () => true)
      : wantedOf(source, { where, decode }, setting),
  );
  const ledger = new ProbeLedger(setting.run, wanted);
  await sink.read((record) => {
    const number = made === undefined || findProbe(record) !== null ? null : generatedNumber(record);
    if (number === null) ledger.add(record);
    else ledger.addProbe(made!.base + number, made!.base);
  });
  const ownDead = new Set([...(dead.get(name) ?? []), ...(dead.get('') ?? [])]);
  for (const number of ownDead) ledger.excuse(number);
  const count = ledger.count();
  const { words, mayDuplicate, isOrdered } = sink.promise;
  const broken =
    unjudged !== null
      ? []
      : [
          ...(count.lost > 0 ? [`${count.lost} lost`] : []),
          ...(count.duplicated > 0 && !mayDuplicate ? [`${count.duplicated} twice, though ${words}`] : []),
          ...(count.reordered > 0 && isOrdered ? [`${count.reordered} out of order`] : []),
          ...(count.strange > 0 ? [`${count.strange} that nobody sent`] : []),
        ];
  const promise = mayDuplicate && words !== 'at-least-once' ? `${words}, of a source that may repeat` : words;
  const missing = unjudged === null ? ledger.missing() : [];
  return { sink: name, promise, deadLettered: ownDead.size, missing, unjudged, broken, ...count };
}

/** Those for which the sink's condition is true, by the same expression that the pipeline runs. */
function wantedOf(
  source: Source,
  { where, decode }: { where: string; decode: 'json' | 'text' | 'bytes' },
  setting: TrialSetting,
): boolean[] {
  const condition = compileViewCondition(where, decode);
  const decoder = decoderFor(decode);
  const keyText = source.plan.key;
  const valueOf = probeValues(setting, source.base);
  const partition = { topic: 'probe', incarnation: 'probe', partition: 0 };
  // Probes of one key differ in nothing that a condition could mean.
  const byKey = new Map<number, boolean>();
  return Array.from({ length: source.count }, (_, number) => {
    const key = keyOf(number);
    if (!byKey.has(key)) {
      const value = valueOf(number);
      const plain = recordBatch([{ partition, base: 0, records: [{ value }] }], decoder);
      const own = keyText === null ? null : keyIn(keyText, plain.record(0));
      const view = recordBatch([{ partition, base: 0, records: [{ value, key: own }] }], decoder);
      byKey.set(
        key,
        holds(() => condition(view, 0)),
      );
    }
    return byKey.get(key)!;
  });
}

function keyIn(text: string, record: Parameters<ReturnType<typeof compileKey>>[0]): Uint8Array | null {
  try {
    return compileKey(text)(record);
  } catch {
    return null;
  }
}

/** What fails is refused, and looked for among the dead letters. */
function holds(condition: () => boolean): boolean {
  try {
    return condition();
  } catch {
    return true;
  }
}

function generatedNumber(record: Uint8Array): number | null {
  const [, digits] = /"n":(\d+)/.exec(Buffer.from(record).toString()) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** The probes among the dead letters, by sink; under the empty name those that a source refused. */
async function deadProbes(
  { hub, sources }: PlannedTrial,
  { env, run }: TrialSetting,
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const made = sources.find(({ plan }) => plan.connector === 'generate');
  const { view, close } = await viewOf(hub, env);
  const dead = new Map<string, Set<number>>();
  try {
    for (const topics of deadLetterTopics(view, configuredDeadLetters(hub))) {
      const index = await DeadLetterIndex.read(view, topics);
      for await (const { leg, origin, value } of index.letters()) {
        const stamp = value === null ? null : findProbe(value);
        const generated = value === null || made === undefined || stamp !== null ? null : generatedNumber(value);
        const number = stamp?.run === run ? stamp.number : generated === null ? null : made!.base + generated;
        if (number === null) continue;
        const name = origin === null ? '' : leg;
        dead.set(name, (dead.get(name) ?? new Set()).add(number));
      }
    }
  } finally {
    await close();
  }
  return dead;
}

async function viewOf(hub: HubPlan, env: NodeJS.ProcessEnv): ReturnType<typeof viewEmbedded> {
  const { kafka } = hub;
  return kafka === null ? viewEmbedded(hub) : viewKafka({ ...hub, kafka }, env);
}

async function viewEmbedded({
  dataDir,
}: HubPlan): Promise<Pick<Awaited<ReturnType<typeof viewKafka>>, 'view' | 'close'>> {
  return { view: await readDataFolder({ dataDir }), close: () => Promise.resolve() };
}
