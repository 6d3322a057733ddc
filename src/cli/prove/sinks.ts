import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Json } from '../../api/index.ts';
import type { HubPlan, SinkPlan } from '../../config/index.ts';
import { publishedFiles, readTopic, type FaultProxy } from '../../testing/index.ts';
import { elasticsearchSink } from './elasticsearch-sink.ts';
import { openEndpoint } from './kafka-endpoint.ts';
import type { KafkaProxies } from './kafka-proxies.ts';
import { Unprovable, type ProbeSink, type TrialSetting } from './trial.ts';

export interface SinkTrial {
  readonly hub: HubPlan;
  readonly plan: SinkPlan;
  readonly setting: TrialSetting;
  /** What the hub prints on its standard output, in all its lives. */
  readonly outputFile: string;
  /** Are there several that print there? */
  readonly sharesOutput: boolean;
  /** Connections through it may be hurt. */
  readonly onProxy: (proxy: FaultProxy) => void;
  readonly kafkaProxies: KafkaProxies;
}

type CreateSink = (trial: SinkTrial, options: Readonly<Record<string, Json>>) => Promise<ProbeSink> | ProbeSink;

const sinks: Readonly<Record<string, CreateSink>> = {
  file: fileSink,
  kafka: kafkaSink,
  elasticsearch: elasticsearchSink,
  console: consoleSink,
};

export async function probeSink(trial: SinkTrial): Promise<ProbeSink> {
  const { name, connector, options } = trial.plan;
  const create = sinks[connector];
  if (create === undefined)
    throw new Unprovable(`sink ${name}: nobody knows yet how to read back what \`${connector}\` wrote`);
  return create(trial, options as Readonly<Record<string, Json>>);
}

/** A folder of its own beside the user's: what is proven is that disk, too. */
function fileSink({ hub, plan, setting }: SinkTrial, options: Readonly<Record<string, Json>>): ProbeSink {
  const path = options.path as string;
  const literal = path.split('{{')[0]!;
  const prefix = literal === path ? path : literal.slice(0, literal.lastIndexOf('/'));
  const folder = setting.doubles
    ? join(setting.workFolder, `sink-${plan.name}`)
    : `${resolve(dirname(hub.pipelines[0]!.file), prefix)}${setting.suffix}`;
  return {
    plan: { ...plan, options: { ...options, path: folder + path.slice(prefix.length) } },
    unjudged: null,
    makes: [`folder ${folder}`],
    read: async (take) => {
      const files = await publishedFiles(folder).catch(() => []);
      for (const file of files) await readLines(file, take);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function kafkaSink(
  { hub, plan, setting, kafkaProxies }: SinkTrial,
  options: Readonly<Record<string, Json>>,
): Promise<ProbeSink> {
  const model = options.topic as string;
  if (model.includes('{{')) throw new Unprovable(`sink ${plan.name}: \`kafka\` with a template as \`topic\``);
  const endpoint = await openEndpoint({ hub, plan, env: setting.env, kind: 'sink', kafkaProxies });
  const topic = `${model}${setting.suffix}`;
  await endpoint.createLike(model, topic);
  return {
    plan: { ...plan, options: { ...options, topic } },
    unjudged: null,
    makes: [`topic ${topic}`],
    read: (take) => readTopic(endpoint.client, topic, take),
    close: () => endpoint.close(),
  };
}

function consoleSink(
  { plan, outputFile, sharesOutput }: SinkTrial,
  options: Readonly<Record<string, Json>>,
): ProbeSink {
  const unjudged = sharesOutput
    ? 'several sinks print on one output'
    : options.max_per_second === undefined
      ? null
      : '`max_per_second` skips records';
  return {
    plan,
    unjudged,
    makes: [],
    read: async (take) => {
      if ((await stat(outputFile).catch(() => null)) !== null) await readLines(outputFile, take);
    },
    close: () => Promise.resolve(),
  };
}

async function readLines(file: string, take: (line: Uint8Array) => void): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      take(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) take(rest);
}
