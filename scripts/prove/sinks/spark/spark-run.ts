import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient } from '../../../../src/kafka/index.ts';
import type { CrashPoint } from '../../../../src/telemetry/index.ts';
import { Ledger } from '../../../../src/testing/index.ts';
import { createHub, drain, HubProcess, type Hub } from '../../hub.ts';
import { openClient, produce } from '../../kafka/topics.ts';
import type { Result } from '../../proof.ts';
import type { Address } from '../../../services/services.ts';
import { readOutputs } from './outputs.ts';
import { javaEnvironment, type SparkTarget } from './targets.ts';

const PARTITIONS = 2;
export const RECORDS_IN_RANGE = 200;
/** A hub that does not come to its point ends all the same: two batches, each with a driver on a busy machine, and one that waits for an orphan. */
const PATIENCE_MS = 300_000;
const CLIENT = 'session_timeout: 6s, request_timeout: 5s, connect_timeout: 2s, transaction_timeout: 6s';

interface SparkRunOptions {
  readonly folder: string;
  /** Of the pipeline, its group and its topic: one that nobody else has. */
  readonly name: string;
  readonly brokers: string;
  readonly spark: Address<'spark'>;
  readonly target: SparkTarget;
}

/** A topic whose ranges a hub gives to jobs, life by life. */
export class SparkRun {
  readonly #hub: Hub;
  readonly #client: KafkaClient;
  readonly #name: string;
  readonly #output: string;
  #written = 0;
  readonly #problems: string[] = [];

  private constructor(hub: Hub, client: KafkaClient, { name, output }: { name: string; output: string }) {
    this.#hub = hub;
    this.#client = client;
    this.#name = name;
    this.#output = output;
  }

  static async start({ folder, name, brokers, spark, target }: SparkRunOptions): Promise<SparkRun> {
    const output = join(folder, 'published');
    const client = openClient(brokers);
    await client.createTopic({ name, partitions: PARTITIONS, replicationFactor: 1 });
    const pipeline = `name: ${name}
topic: { name: ${name}, partitions: ${PARTITIONS} }
sinks:
  - spark:
      ${target({ spark, brokers, output })}
      range: { max_records: ${RECORDS_IN_RANGE}, max_age: 2s }
`;
    const settings = [`kafka: { brokers: ['${brokers}'], client: { ${CLIENT} } }`, `group: ${name}`, 'host: h1'];
    return new SparkRun(await createHub(join(folder, 'hub'), pipeline, settings), client, { name, output });
  }

  /** Adds as many records as these ranges have. */
  async grow(ranges: number): Promise<void> {
    const each = (ranges * RECORDS_IN_RANGE) / PARTITIONS;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const first = this.#written + partition * each;
      const values = Array.from({ length: each }, (_, at) => `{"n":${first + at}}`);
      await produce(this.#client, this.#name, partition, values);
    }
    this.#written += each * PARTITIONS;
  }

  begin(env: Readonly<Record<string, string>> = {}): HubProcess {
    return new HubProcess(this.#hub, ['run'], { ...javaEnvironment, ...env });
  }

  /** A life that ends by itself at the nth passing of a crash point. */
  async livesTo(point: CrashPoint, nth: number): Promise<void> {
    const life = this.begin({ SLUICE_TESTING: '1', SLUICE_CRASH_AT: `${point}:${nth}` });
    const late = new AbortController();
    const patience = setTimeout(() => {
      late.abort();
      void life.kill();
    }, PATIENCE_MS);
    const { signal } = await life.ended;
    clearTimeout(patience);
    if (late.signal.aborted || signal !== 'SIGKILL')
      this.#problems.push(`no life came to ${point}: ${life.output.slice(-500)}`);
  }

  /** Records of the topic that its group has behind it. */
  async saved(): Promise<number> {
    const offsets = await this.#client.groupOffsets(`sluice.${this.#name}.${this.#name}.sink.spark`);
    return offsets.reduce((sum, { next }) => sum + next, 0);
  }

  async savesAll(life: HubProcess): Promise<void> {
    for (const until = Date.now() + PATIENCE_MS; (await this.saved()) < this.#written;) {
      if (!life.alive || Date.now() > until) throw new Error(`not every range was processed:\n${life.output}`);
      await sleep(200);
    }
  }

  /** Until everything is processed. */
  drain(): Promise<void> {
    return drain(this.#hub, { env: javaEnvironment, parameters: ['--timeout', '20m'] });
  }

  /** Every offset has to be in exactly one output. */
  async judge(note: (ranges: number) => string): Promise<Result> {
    const { batches, records, leftovers } = await readOutputs(this.#output);
    const ledger = new Ledger({ expected: this.#written });
    for (const { value = '' } of records) ledger.add(Buffer.from(value));
    const { rows, lost, duplicated, strange } = ledger.count();
    const offsets = new Set(records.map(({ partition, offset }) => `${partition}+${offset}`));
    return {
      expected: this.#written,
      rows,
      lost,
      duplicated: Math.max(duplicated, records.length - offsets.size),
      note: note(batches.length),
      problems: [
        ...this.#problems,
        ...(strange > 0 ? [`${strange} records that nobody wrote`] : []),
        ...(leftovers.length > 0 ? [`left behind: ${leftovers.join(', ')}`] : []),
      ],
      unjudged: [],
    };
  }

  async end(): Promise<void> {
    await this.#client.deleteTopic(this.#name);
    await this.#client.close();
  }
}
