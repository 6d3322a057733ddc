import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger, type LedgerCount } from '../../../src/testing/index.ts';
import type { HubFolder, HubProcess } from '../../cli/support/hub-folder.ts';
import type { KafkaProducer } from '../../../src/kafka/index.ts';
import type { Cluster } from '../../connectors/kafka/support/cluster.ts';
import { kafkaTool } from '../../support/servers.ts';

const RECORDS_AT_ONCE = 200;

/** Numbered input that grows in several streams, number n in stream n modulo their count, so that the order in each can be judged. */
abstract class GrowingInput {
  protected readonly streams: number;
  written = 0;

  constructor(streams: number) {
    this.streams = streams;
  }

  protected abstract append(stream: number, records: readonly string[]): Promise<void>;

  async grow(): Promise<void> {
    for (let stream = 0; stream < this.streams; stream++) {
      const records = Array.from({ length: RECORDS_AT_ONCE }, (_, index) => {
        const n = this.written + index * this.streams + stream;
        return `{"n":${n},"text":"${'x'.repeat(n % 200)}"}`;
      });
      await this.append(stream, records);
    }
    this.written += RECORDS_AT_ONCE * this.streams;
  }

  async growUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.grow();
      await sleep(50);
    }
  }

  /** Under load until the hub is dead. */
  async growUntilEnd(hub: HubProcess): Promise<void> {
    const over = new AbortController();
    void hub.exit().then(() => {
      over.abort();
    });
    await this.growUntil(over.signal);
  }

  judge(values: readonly string[]): LedgerCount {
    const ledger = new Ledger({ expected: this.written, streamOf: (n) => n % this.streams });
    for (const value of values) ledger.add(Buffer.from(value));
    return ledger.count();
  }
}

/** Files `in-0.log`, `in-1.log`, … of a folder. */
export class GrowingFiles extends GrowingInput {
  readonly #folder: string;

  constructor(folder: string, files: number) {
    super(files);
    this.#folder = folder;
  }

  protected append(file: number, lines: readonly string[]): Promise<void> {
    return appendFile(join(this.#folder, `in-${file}.log`), lines.map((line) => `${line}\n`).join(''));
  }
}

/** Partitions of a topic. */
export class GrowingTopic extends GrowingInput {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #producer: KafkaProducer;

  static async create(cluster: Cluster, topic: string, partitions: number): Promise<GrowingTopic> {
    await cluster.createTopic(topic, partitions);
    return new GrowingTopic(cluster, topic, { partitions, producer: await cluster.client.openProducer({}) });
  }

  private constructor(
    cluster: Cluster,
    topic: string,
    { partitions, producer }: { partitions: number; producer: KafkaProducer },
  ) {
    super(partitions);
    this.#cluster = cluster;
    this.#topic = topic;
    this.#producer = producer;
  }

  protected append(partition: number, values: readonly string[]): Promise<void> {
    const records = values.map((value) => ({ value }));
    return this.#cluster.produce(this.#topic, partition, records, { producer: this.#producer });
  }
}

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
    await sleep(200);
  }
}

/** What Kafka's own consumer gets with read_committed, in the order of each partition. */
export async function consumeCommitted(brokers: string, topic: string): Promise<string[]> {
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
    ...['--timeout-ms', '4000'],
  ]);
  // That nothing came for so long it says on the same stream, and so does its log: only records begin with their place.
  return [...stdout.matchAll(/^Partition:\d+\tOffset:\d+\t(.*)$/gm)].map(([, value = '']) => value);
}

/** What our own reader gets, quicker. */
export async function committedIn(cluster: Cluster, topic: string): Promise<string[]> {
  return (await cluster.values(topic)).map(String);
}

/** `source` is the YAML of its entry; `more` options of `kafka`, behind a comma. */
export function exactFolder(
  create: (pipelines: Readonly<Record<string, string>>, hub: string) => Promise<HubFolder>,
  options: { brokers: string; name: string; source: string; partitions?: number; more?: string; hub?: string },
): Promise<HubFolder> {
  const { brokers, name, source, partitions = 3, more = '', hub = '' } = options;
  const client = 'client: { session_timeout: 6s, request_timeout: 5s, connect_timeout: 2s, transaction_timeout: 6s }';
  return create(
    {
      'p.yaml': `name: ${name}
delivery: exactly_once
sources:
  - ${source}
topic: { name: ${name}, partitions: ${partitions} }
sinks: []
`,
    },
    `kafka: { brokers: ['${brokers}'], ${client}${more} }\ngroup: ${name}\n${hub}\n`,
  );
}
