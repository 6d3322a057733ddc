import type { KafkaClient } from '../../../../src/kafka/index.ts';
import { openKafkaLog, type KafkaLogOptions, type KafkaLogPlan, type TopicLog } from '../../../../src/log/index.ts';
import { createEntryLogger, realClock, type LogEntry } from '../../../../src/telemetry/index.ts';
import { noMetrics } from '../../../../src/testing/sink-harness.ts';

export type Wishes = Partial<Omit<KafkaLogOptions, 'client' | 'plan'>> & {
  readonly plan?: Partial<Omit<KafkaLogPlan, 'topic'>> & { readonly topic?: Partial<KafkaLogPlan['topic']> };
};

/** `isExact`: the first of them. */
export function sourcesOf(isExact: boolean): KafkaLogPlan['sources'] {
  return [
    { name: 'source', placement: 'host', isExact },
    { name: 'one', placement: 'once', isExact: false },
    { name: 'two', placement: 'every', isExact: false },
  ];
}

export function planOf(pipeline: string, { topic, ...more }: NonNullable<Wishes['plan']> = {}): KafkaLogPlan {
  return {
    pipeline,
    topic: {
      name: pipeline,
      partitions: 3,
      replicationFactor: null,
      config: {},
      retentionMs: 7 * 24 * 3600 * 1000,
      maxRecordBytes: 1024 * 1024,
      ...topic,
    },
    deadLetter: { topic: `${pipeline}.dead` },
    sources: sourcesOf(false),
    ...more,
  };
}

/** Opens logs of one pipeline, and closes what a test left open. */
export class Logs {
  readonly entries: LogEntry[] = [];
  readonly #client: KafkaClient;
  readonly #pipeline: string;
  readonly #opened: TopicLog[] = [];

  constructor(client: KafkaClient, pipeline: string) {
    this.#client = client;
    this.#pipeline = pipeline;
  }

  async open({ plan, ...more }: Wishes = {}): Promise<TopicLog> {
    const log = await openKafkaLog({
      client: this.#client,
      group: 'default',
      hubId: 'hub-1',
      plan: planOf(this.#pipeline, plan),
      member: { protocol: 'classic', sessionTimeoutMs: 8000, heartbeatMs: 2000 },
      transactionTimeoutMs: 60_000,
      isStatic: true,
      clock: realClock,
      log: createEntryLogger({ level: 'debug', clock: realClock, write: (entry) => this.entries.push(entry) }),
      metrics: noMetrics,
      ...more,
    });
    this.#opened.push(log);
    return log;
  }

  messages(): string[] {
    return this.entries.map(({ message }) => message);
  }

  async close(): Promise<void> {
    for (const log of this.#opened) await log.close();
  }
}
