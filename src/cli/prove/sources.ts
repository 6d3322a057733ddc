import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../api/index.ts';
import type { HubPlan, SourcePlan } from '../../config/index.ts';
import { produceValues, type FaultProxy } from '../../testing/index.ts';
import { httpSource } from './http-source.ts';
import { openEndpoint } from './kafka-endpoint.ts';
import type { KafkaProxies } from './kafka-proxies.ts';
import { keyOf, KEYS, probeValues } from './probe-text.ts';
import { Unprovable, type ProbeSource, type TrialSetting } from './trial.ts';

export interface SourceTrial {
  readonly hub: HubPlan;
  readonly plan: SourcePlan;
  readonly setting: TrialSetting;
  /** The number of its first probe in the run. */
  readonly base: number;
  readonly count: number;
  /** Probes that a source which makes them itself shall make a second. */
  readonly rate: number;
  /** Connections through it may be hurt. */
  readonly onProxy: (proxy: FaultProxy) => void;
  readonly kafkaProxies: KafkaProxies;
}

type Create = (trial: SourceTrial, options: Readonly<Record<string, Json>>) => Promise<ProbeSource> | ProbeSource;

const sources: Readonly<Record<string, Create>> = { file: fileSource, http: httpSource, kafka: kafkaSource, generate };
const notYet: Readonly<Record<string, string>> = {
  stdin: 'what it has read of its input cannot be read again by the next process: there is nothing to prove',
};

export async function probeSource(trial: SourceTrial): Promise<ProbeSource> {
  const { name, connector, options } = trial.plan;
  const create = sources[connector];
  if (create === undefined)
    throw new Unprovable(`source ${name}: ${notYet[connector] ?? `nobody knows yet how to feed \`${connector}\``}`);
  return create(trial, options as Readonly<Record<string, Json>>);
}

const FILES = KEYS / 2;

/** Files of its own, that grow. */
async function fileSource(
  { plan, setting, base, count }: SourceTrial,
  given: Readonly<Record<string, Json>>,
): Promise<ProbeSource> {
  const options = without(given, ['start', 'exclude', 'ignore_older']);
  const folder = join(setting.workFolder, `input-${plan.name}`);
  await mkdir(folder, { recursive: true });
  const valueOf = probeValues(setting, base);
  let fed = 0;
  const feed = async (end: number): Promise<void> => {
    const texts = Array.from({ length: FILES }, (): string[] => []);
    for (; fed < end; fed++) texts[keyOf(fed) % FILES]!.push(`${valueOf(fed)}\n`);
    for (const [file, lines] of texts.entries())
      if (lines.length > 0) await appendFile(join(folder, `${file}.log`), lines.join(''));
  };
  return {
    plan: { ...plan, options: { ...options, include: [join(folder, '*.log')] } },
    count,
    isOrdered: plan.partitionBy === 'source' || plan.key !== null,
    makes: [],
    feed,
    settled: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** A topic of its own, with as many partitions as the first that the user's pipeline reads. */
async function kafkaSource(
  { plan, setting, base, count, hub, kafkaProxies }: SourceTrial,
  given: Readonly<Record<string, Json>>,
): Promise<ProbeSource> {
  const options = without(given, ['group', 'start']);
  if (given.topic_pattern !== undefined) throw new Unprovable(`source ${plan.name}: \`kafka\` with \`topic_pattern\``);
  const [model] = options.topics as readonly [string];
  const endpoint = await openEndpoint({ hub, plan, env: setting.env, kind: 'source', kafkaProxies });
  const topic = `${model}${setting.suffix}`;
  const partitions = await endpoint.createLike(model, topic);
  const valueOf = probeValues(setting, base);
  let fed = 0;
  return {
    plan: { ...plan, options: { ...options, topics: [topic] } },
    count,
    isOrdered: plan.partitionBy === 'source' || plan.key !== null,
    makes: [`topic ${topic}`],
    feed: async (end) => {
      const values = Array.from({ length: partitions }, (): string[] => []);
      for (; fed < end; fed++) values[keyOf(fed) % partitions]!.push(valueOf(fed));
      for (const [partition, some] of values.entries())
        if (some.length > 0) await produceValues(endpoint.client, topic, partition, some);
    },
    settled: () => Promise.resolve(),
    close: () => endpoint.close(),
  };
}

/** It makes its records itself, each with its number. */
function generate({ plan, count, rate }: SourceTrial, options: Readonly<Record<string, Json>>): ProbeSource {
  const { streams = 1 } = options as { streams?: number };
  return {
    plan: {
      ...plan,
      options: { ...options, count, rate: Math.min(rate, (options.rate as number | undefined) ?? rate) },
    },
    count,
    isOrdered: streams === 1 && plan.key === null && plan.partitionBy === 'source',
    makes: [],
    feed: () => Promise.resolve(),
    settled: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** Where its own input begins and ends is not that of the probes. */
function without(options: Readonly<Record<string, Json>>, names: readonly string[]): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}
