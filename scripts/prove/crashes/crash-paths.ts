import { join } from 'node:path';
import type { KafkaClient } from '../../../src/kafka/index.ts';
import type { CrashPoint } from '../../../src/telemetry/index.ts';
import type { LedgerCount } from '../../../src/testing/index.ts';
import { createHub, type Hub } from '../hub.ts';
import { consumeCommitted } from './consumed.ts';
import { GrowingFiles, GrowingTopic, type GrowingInput } from './growing-input.ts';

const PARTITIONS = 3;
/** Soon enough for a test, and long enough for a busy machine. */
const CLIENT = 'session_timeout: 6s, request_timeout: 5s, connect_timeout: 2s, transaction_timeout: 6s';
const FILES = 'file: { path: out, roll: { age: 1s, idle: 100ms } }';

export interface CrashPlace {
  readonly folder: string;
  readonly brokers: string;
  readonly client: KafkaClient;
  /** Of the pipeline and the group, and what the names of topics begin with: one that nobody else has. */
  readonly name: string;
}

export interface CrashScene {
  readonly hub: Hub;
  readonly input: GrowingInput;
  /** Some of the input becomes dead letters. */
  readonly refuses?: boolean;
  /** What has come out so far. */
  judge(): Promise<LedgerCount>;
}

/** A way of records through a hub, with the crash points that lie on it. */
export interface CrashPath {
  readonly name: string;
  readonly isExactlyOnce: boolean;
  /** Passed before anything else happens in a new data folder, in this order, each once. */
  readonly first: readonly CrashPoint[];
  readonly points: readonly CrashPoint[];
  /** Topics to be deleted afterwards have names that begin with the place's. */
  create(place: CrashPlace): Promise<CrashScene>;
}

export const crashPaths = {
  filesToKafka: {
    first: [],
    name: 'files → Kafka, exactly once',
    isExactlyOnce: true,
    points: [
      'after-read',
      'after-prepare',
      'produce-sent',
      'produce-acknowledged',
      'before-end-transaction',
      'end-transaction-sent',
      'before-client-acknowledged',
      'after-client-acknowledged',
    ],
    create: (place) => fromFiles(place, 'exactly_once'),
  },
  kafkaToKafka: {
    first: [],
    name: 'Kafka → Kafka, exactly once',
    isExactlyOnce: true,
    points: ['produce-acknowledged', 'before-end-transaction', 'end-transaction-sent', 'before-client-acknowledged'],
    create: async (place) => {
      const input = await GrowingTopic.create(place.client, `${place.name}.from`, PARTITIONS);
      const source = `kafka: { brokers: ['${place.brokers}'], topics: ['${place.name}.from'], client: { session_timeout: 6s } }`;
      const hub = await hubInto(place, { source, delivery: 'exactly_once' });
      return { hub, input, judge: () => judgeTopic(place, input) };
    },
  },
  filesToKafkaAtLeastOnce: {
    first: [],
    name: 'files → Kafka, at least once',
    isExactlyOnce: false,
    points: ['produce-sent', 'produce-acknowledged', 'before-checkpoint', 'checkpoint-acknowledged'],
    create: (place) => fromFiles(place, 'at_least_once'),
  },
  embeddedLog: {
    name: 'files → embedded log → files',
    isExactlyOnce: true,
    first: ['snapshot-written', 'journal-begun', 'snapshot-renamed', 'segment-created'],
    points: [
      'after-prepare',
      'segment-synced',
      'frame-written',
      'segment-unlinked',
      'before-client-acknowledged',
      'sink-sent',
      'sink-flushed',
      'offset-commit-sent',
    ],
    create: async ({ folder, name }) => {
      const input = new GrowingFiles(folder, PARTITIONS);
      // Little enough for retention to give up segments while it runs.
      const topic = `{ name: ${name}, partitions: ${PARTITIONS}, compression: none, retention: { size: 4MiB } }`;
      const hub = await createHub(
        folder,
        `name: ${name}\nsources:\n  - file: { include: ['*.log'] }\ntopic: ${topic}\nsinks:\n  - ${FILES}\n`,
      );
      return { hub, input, judge: () => judgeFiles(folder, input) };
    },
  },
  kafkaToFiles: {
    name: 'Kafka → files and dead letters',
    isExactlyOnce: true,
    first: [],
    points: [
      'sink-sent',
      'sink-acknowledged',
      'sink-flushed',
      'file-closed',
      'manifest-linked',
      'file-published',
      'offset-commit-sent',
      'offset-commit-acknowledged',
      'dead-letter-sent',
      'dead-letter-acknowledged',
    ],
    create: async (place) => {
      const { folder, brokers, client, name } = place;
      const input = await GrowingTopic.create(client, name, PARTITIONS);
      // The text of one in a hundred is taken for a number, which is an error and makes it a dead letter.
      const where = 'value.n % 100 != 7 || int(value.text) == 1';
      const hub = await createHub(
        folder,
        `name: ${name}\ntopic: ${name}\nsinks:\n  - ${FILES}\n    where: ${where}\n`,
        hubLines(place),
      );
      return {
        hub,
        input,
        refuses: true,
        // A dead letter may be there twice after a crash, and is shown once.
        judge: async () => judgeFiles(folder, input, new Set(await consumeCommitted(brokers, `${name}.dead`))),
      };
    },
  },
} as const satisfies Record<string, CrashPath>;

async function fromFiles(place: CrashPlace, delivery: string): Promise<CrashScene> {
  const input = new GrowingFiles(place.folder, PARTITIONS);
  const hub = await hubInto(place, { source: "file: { include: ['*.log'] }", delivery });
  return { hub, input, judge: () => judgeTopic(place, input) };
}

function hubInto(place: CrashPlace, { source, delivery }: { source: string; delivery: string }): Promise<Hub> {
  const { folder, name } = place;
  const pipeline = `name: ${name}
delivery: ${delivery}
sources:
  - ${source}
topic: { name: ${name}, partitions: ${PARTITIONS} }
sinks: []
`;
  return createHub(folder, pipeline, hubLines(place));
}

function hubLines({ brokers, name }: CrashPlace): string[] {
  return [`kafka: { brokers: ['${brokers}'], client: { ${CLIENT} } }`, `group: ${name}`, 'host: h1'];
}

async function judgeTopic({ brokers, name }: CrashPlace, input: GrowingInput): Promise<LedgerCount> {
  return input.judge(await consumeCommitted(brokers, name));
}

async function judgeFiles(
  folder: string,
  input: GrowingInput,
  deadLetters: Iterable<string> = [],
): Promise<LedgerCount> {
  const ledger = input.ledger({ isOrdered: false });
  await ledger.addFolder(join(folder, 'out'));
  for (const value of deadLetters) ledger.add(Buffer.from(value));
  return ledger.count();
}
