import { setTimeout as sleep } from 'node:timers/promises';
import { HubFolder } from '../../cli/support/hub-folder.ts';
import type { Cluster } from '../../connectors/kafka/support/cluster.ts';

/** Waits until so many records are committed to a topic. */
export async function untilCommitted(
  cluster: Cluster,
  topic: string,
  count: number,
  patienceMs: number,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const there = await cluster.values(topic).catch(() => []);
    if (there.length >= count) return;
    if (Date.now() > deadline) throw new Error(`topic ${topic} holds ${there.length} records, not ${count}`);
    await sleep(500);
  }
}

/** What our own reader gets, quicker. */
export async function valuesIn(cluster: Cluster, topic: string): Promise<string[]> {
  return (await cluster.values(topic)).map(String);
}

export interface ExactHubOptions {
  readonly brokers: string;
  /** Of the pipeline, its topic and the group: one that nobody else has. */
  readonly name: string;
  /** YAML of the list entry. Default: the files `*.log` of its folder. */
  readonly source?: string;
  /** Of transactions. */
  readonly timeout?: string;
  /** Of `host`: another hub of the same group has another one. */
  readonly host?: string;
}

/** A hub that writes what its source reads into a topic of three partitions, exactly once. */
export function exactHub(options: ExactHubOptions): Promise<HubFolder> {
  const { brokers, name, source = "file: { include: ['*.log'] }", timeout = '6s', host = 'h1' } = options;
  const client = `session_timeout: 6s, request_timeout: 5s, connect_timeout: 2s, transaction_timeout: ${timeout}`;
  const servers = brokers.split(',').map((broker) => `'${broker}'`);
  return HubFolder.create(
    {
      'p.yaml': `name: ${name}
delivery: exactly_once
sources:
  - ${source}
topic: { name: ${name}, partitions: 3 }
sinks: []
`,
    },
    `kafka: { brokers: [${servers.join(', ')}], client: { ${client} } }\ngroup: ${name}\nhost: ${host}\n`,
  );
}
