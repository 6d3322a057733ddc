import type { SluiceError } from '../api/index.ts';
import type { KafkaClient, KafkaFeatures, KafkaProducer, ReaderOptions } from '../kafka/index.ts';
import { BufferPool, type Compression } from '../record/index.ts';
import { storedBatch, type TestRecord } from './batches.ts';

/** What brokers of some age, or a driver with them, cannot do; the checks then hold that it is said. */
export type KafkaLack =
  /** Record headers: before 0.11. */
  | 'headers'
  /** Settings of topics can be read: before 0.11. */
  | 'topic-config'
  /** Single settings of topics can be changed: before 0.11, with the native driver before 2.3. */
  | 'topic-config-changes'
  /** The brokers' own defaults for new topics: before 0.11. */
  | 'defaults'
  /** Giving up records: before 0.11. */
  | 'delete-records'
  /** Deleting single offsets of a group: before 2.4. */
  | 'offset-delete'
  /** Deleting groups: before 1.1. */
  | 'group-delete';

/** A cluster to try a driver on; what checks leave behind is in nobody's way. */
export interface KafkaClientSetting {
  /** A new client; ended after the check. `pace`: how many times as fast as the wall's its clock runs, where it takes its time by design. */
  readonly open: (options?: {
    readonly brokers?: readonly string[];
    readonly onWait?: (reason: string | null) => void;
    readonly pace?: number;
  }) => KafkaClient;
  /** A name that nobody else uses. */
  readonly name: (prefix: string) => string;
  readonly lacks: ReadonlySet<KafkaLack>;
}

export interface KafkaClientCheck {
  readonly name: string;
  /** Rejects when the client breaks its promise. */
  run(setting: KafkaClientSetting): Promise<void>;
}

export async function madeTopic(
  client: KafkaClient,
  setting: KafkaClientSetting,
  options: { partitions?: number; config?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const name = setting.name('topic');
  const { partitions = 1, config = {} } = options;
  await client.createTopic({ name, partitions, replicationFactor: 1, config });
  return name;
}

/** One batch of records; strings stand for records with that value. Resolves with its base offset. */
export function send(
  producer: KafkaProducer,
  topic: string,
  records: readonly (string | TestRecord)[],
  options: { partition?: number; compression?: Compression } = {},
): Promise<number> {
  const { partition = 0, compression = 'none' } = options;
  const full = records.map((record) =>
    typeof record === 'string' ? { value: record, timestamp: Date.now() } : record,
  );
  return producer.send(topic, partition, storedBatch(full, 0, compression));
}

export function readerOptions(
  options: { isolation?: ReaderOptions['isolation']; fetchBytes?: number; pool?: BufferPool } = {},
): ReaderOptions {
  const { isolation = 'read_committed', fetchBytes = 65_536 } = options;
  const pool = options.pool ?? new BufferPool({ budgetBytes: 4 << 20, bufferBytes: 65_536 });
  return { isolation, pool, fetchBytes };
}

export function code(expected: SluiceError['code']): (error: unknown) => boolean {
  return (error) => {
    const found = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (found === expected) return true;
    throw new Error(`${found} instead of ${expected}`, { cause: error });
  };
}

/** Whether a check is about something that this client does not claim. */
export async function claims(client: KafkaClient, feature: keyof KafkaFeatures): Promise<boolean> {
  return (await client.features())[feature];
}
