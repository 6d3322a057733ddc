import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { legPromise, type HubPlan, type PipelinePlan, type SinkPlan } from '../../config/index.ts';
import type { Registry } from '../../registry/index.ts';
import { freePorts, type FaultProxy } from '../../testing/index.ts';
import { CommandKafka } from '../command-kafka.ts';
import { KafkaProxies } from './kafka-proxies.ts';
import { probeSink } from './sinks.ts';
import { probeSource } from './sources.ts';
import { Unprovable, type ProbeSink, type ProbeSource, type SinkPromise, type TrialSetting } from './trial.ts';

export interface PlannedTrial {
  /** One pipeline, under a name of its own, with redirected endpoints. */
  readonly hub: HubPlan;
  readonly planFile: string;
  readonly outputFile: string;
  readonly apiPort: number;
  readonly sources: readonly (ProbeSource & { readonly base: number })[];
  readonly sinks: readonly (ProbeSink & { readonly promise: SinkPromise })[];
  /** Where its processes connect instead of to brokers; empty: nowhere else. */
  readonly redirects: string;
  /** Everything outside of its own folder that it makes and removes. */
  readonly makes: readonly string[];
  /** Removes what sources and sinks made, and its data folder. */
  close(): Promise<void>;
}

export interface TrialOptions {
  readonly setting: TrialSetting;
  readonly registry: Registry;
  /** Probes of all sources together. */
  readonly records: number;
  readonly rate: number;
  readonly onProxy: (proxy: FaultProxy) => void;
}

/** Redirects a hub of one pipeline. Rejects with `Unprovable`, and leaves nothing behind then. */
export async function planTrial(user: HubPlan, options: TrialOptions): Promise<PlannedTrial> {
  const [pipeline] = user.pipelines as readonly [PipelinePlan];
  const { setting } = options;
  refuse(pipeline);
  const [apiPort] = (await freePorts(1)) as [number];
  const dataDir = setting.doubles ? join(setting.workFolder, 'data') : `${user.dataDir}${setting.suffix}`;
  const outputFile = join(setting.workFolder, 'output');
  const opened: { close(): Promise<void> }[] = [{ close: () => rm(dataDir, { recursive: true, force: true }) }];
  const close = async (): Promise<void> => {
    for (const one of opened.reverse()) await one.close();
  };
  const kafkaProxies = new KafkaProxies(options.onProxy);
  opened.push({
    close: () => {
      kafkaProxies.close();
      return Promise.resolve();
    },
  });
  try {
    await addBrokers(user, kafkaProxies, setting);
    const sources = await openSources(user, options, { opened, kafkaProxies });
    const sinks = await openSinks(user, options, { opened, kafkaProxies, outputFile });
    const { suffix } = setting;
    const topic = { ...pipeline.topic, name: `${pipeline.topic.name}${suffix}` };
    const deadLetter = { ...pipeline.deadLetter, topic: deadTopic(pipeline, suffix) };
    const legs = { sources: sources.map(({ plan }) => plan), sinks: sinks.map(({ plan }) => plan) };
    const redirected = { ...pipeline, name: `${pipeline.name}${suffix}`, topic, deadLetter, ...legs };
    const hub = { ...user, dataDir, host: null, api: { host: '127.0.0.1', port: apiPort }, pipelines: [redirected] };
    const planFile = join(setting.workFolder, 'plan.json');
    await mkdir(setting.workFolder, { recursive: true });
    await writeFile(planFile, JSON.stringify(hub), { mode: 0o600 });
    const topics = user.kafka === null ? [] : [topic.name, deadLetter.topic].filter((name) => name !== null);
    const makes = [
      ...(setting.doubles ? [] : [`folder ${dataDir}`]),
      ...topics.map((name) => `topic ${name}`),
      ...[...sources, ...sinks].flatMap((leg) => leg.makes),
    ];
    const promised = await Promise.all(
      sinks.map(async (sink) => ({ ...sink, promise: await promiseOf(sink.plan, sources, { hub, options }) })),
    );
    return {
      hub,
      planFile,
      outputFile,
      apiPort,
      sources,
      sinks: promised,
      redirects: kafkaProxies.redirects,
      makes,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function refuse({ name, sources, sinks, topic }: PipelinePlan): void {
  if (sources.length === 0)
    throw new Unprovable(`it has no source; prove the pipeline that writes its topic ${topic.name} instead`);
  if (sinks.length === 0) throw new Unprovable(`${name} has no sink: nothing arrives anywhere`);
}

function deadTopic({ deadLetter }: PipelinePlan, suffix: string): string | null {
  return deadLetter.topic === null ? null : `${deadLetter.topic}${suffix}`;
}

/** The cluster of the topics. */
async function addBrokers({ kafka, ...hub }: HubPlan, proxies: KafkaProxies, { env }: TrialSetting): Promise<void> {
  if (kafka === null) return;
  const cluster = new CommandKafka({ ...hub, kafka }, env);
  try {
    await cluster.within(() => proxies.add(cluster.client, cluster.settings));
  } finally {
    await cluster.close();
  }
}

interface Opening {
  /** What is to be closed, in the order in which it was opened. */
  readonly opened: { close(): Promise<void> }[];
  readonly kafkaProxies: KafkaProxies;
}

async function openSources(
  hub: HubPlan,
  { setting, records, rate, onProxy }: TrialOptions,
  { opened, kafkaProxies }: Opening,
): Promise<(ProbeSource & { base: number })[]> {
  const { sources } = hub.pipelines[0]!;
  const count = Math.ceil(records / sources.length);
  const found: (ProbeSource & { base: number })[] = [];
  for (const [at, plan] of sources.entries()) {
    const base = at * count;
    const share = rate / sources.length;
    const source = await probeSource({ hub, plan, setting, base, count, rate: share, onProxy, kafkaProxies });
    opened.push(source);
    found.push({ ...source, base });
  }
  return found;
}

async function openSinks(
  hub: HubPlan,
  { setting, onProxy }: TrialOptions,
  { opened, kafkaProxies, outputFile }: Opening & { readonly outputFile: string },
): Promise<ProbeSink[]> {
  const { sinks } = hub.pipelines[0]!;
  const sharesOutput = sinks.filter(({ connector }) => connector === 'console').length > 1;
  const found: ProbeSink[] = [];
  for (const plan of sinks) {
    const sink = await probeSink({ hub, plan, setting, outputFile, sharesOutput, onProxy, kafkaProxies });
    opened.push(sink);
    found.push(sink);
  }
  return found;
}

/** A sink gives what its topic has, so a source that may repeat makes it repeat. */
async function promiseOf(
  plan: SinkPlan,
  sources: readonly ProbeSource[],
  { hub, options }: { hub: HubPlan; options: TrialOptions },
): Promise<SinkPromise> {
  const [pipeline] = hub.pipelines as readonly [PipelinePlan];
  const { registry } = options;
  const definition = (await registry.find('sink', plan.connector))!;
  const legs = await Promise.all(
    sources.map(async (source) => {
      const own = (await registry.find('source', source.plan.connector))!;
      return legPromise(own, source.plan, { pipeline, hub });
    }),
  );
  const { promise: words } = legPromise(definition, plan, { pipeline, hub });
  const mayDuplicate = [words, ...legs.map(({ promise }) => promise)].includes('at-least-once');
  const keepsOrder = definition.kind === 'sink' && definition.takes !== 'ranges' && definition.order === 'partition';
  return { words, mayDuplicate, isOrdered: keepsOrder && sources.every(({ isOrdered }) => isOrdered) };
}
