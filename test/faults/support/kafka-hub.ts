import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HubFolder } from '../../cli/support/hub-folder.ts';

interface PipelineStatus {
  readonly state: string;
  readonly reason: string | null;
}

interface KafkaHubOptions {
  readonly brokers: string;
  /** Of the pipeline, its topic and the hub's group: one that nobody else has. */
  readonly name: string;
  /** Of the topic. Default 1. */
  readonly partitions?: number;
  /** YAML of the list entry. Default: published files below `out`. */
  readonly sink?: string;
  /** Options of `kafka`, behind a comma. */
  readonly kafka?: string;
  /** Lines of the hub file. */
  readonly hub?: string;
}

const FILES = 'file: { path: out, roll: { age: 1s, idle: 100ms } }';

/** A hub whose topics are in Kafka, with one pipeline that follows the files `*.log` of its folder. */
export function kafkaHub(options: KafkaHubOptions): Promise<HubFolder> {
  const { name, partitions = 1, sink = FILES, kafka = '', hub = '' } = options;
  const yaml = `name: ${name}
sources:
  - file: { include: ['*.log'] }
topic: { name: ${name}, partitions: ${partitions} }
sinks:
  - ${sink}
    retry: { min: 50ms, max: 500ms }
`;
  const brokers = options.brokers.split(',').map((broker) => `'${broker}'`);
  const client = 'client: { session_timeout: 6s, request_timeout: 5s, connect_timeout: 2s }';
  return HubFolder.create(
    { 'p.yaml': yaml },
    `kafka: { brokers: [${brokers.join(', ')}], ${client}${kafka} }\ngroup: ${name}\n${hub}\n`,
  );
}

export async function append(folder: HubFolder, lines: readonly string[], file = 'in.log'): Promise<void> {
  await appendFile(join(folder.path, file), lines.map((line) => `${line}\n`).join(''));
}

/** `{"n":"a000017"}`: they sort as they were written. */
export function numbered(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `{"n":"${prefix}${String(from + index).padStart(6, '0')}"}`);
}

/** Undefined while the hub does not answer. */
async function statusOf(folder: HubFolder): Promise<PipelineStatus | undefined> {
  const answer = await folder.api('/status').catch(() => null);
  return answer === null ? undefined : (JSON.parse(answer.body) as { pipelines: PipelineStatus[] }).pipelines[0];
}

/** A condition: does the pipeline say this of itself? */
export function says(folder: HubFolder, pattern: RegExp): () => Promise<boolean> {
  return async () => {
    const status = await statusOf(folder);
    return pattern.test(`${status?.state}: ${status?.reason}`);
  };
}
