import { execFile } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { elasticsearchVersion } from '../scripts/services/elasticsearch.ts';
import { kafkaVersion } from '../scripts/services/kafka-tools.ts';

const run = promisify(execFile);

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly linux: string;
  readonly node: string;
  readonly kafka: string;
  readonly elasticsearch: string;
  readonly java: string;
}

export async function describeMachine(): Promise<Machine> {
  const [first] = cpus();
  return {
    cpu: `${first?.model ?? 'unknown'}, ${first?.speed ?? 0} MHz`,
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 1e9),
    linux: release(),
    node: process.versions.node,
    kafka: kafkaVersion,
    elasticsearch: elasticsearchVersion,
    java: await javaVersion(),
  };
}

/** It prints that on its standard error. */
async function javaVersion(): Promise<string> {
  try {
    const { stderr } = await run('java', ['-version']);
    return /"(.+)"/.exec(stderr)?.[1] ?? 'unknown';
  } catch {
    return 'none';
  }
}
