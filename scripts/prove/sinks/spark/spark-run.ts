import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient } from '../../../../src/kafka/index.ts';
import { createHub, type HubProcess } from '../../hub.ts';
import { openClient, produce } from '../../kafka/topics.ts';
import type { Result } from '../../proof.ts';
import type { Address } from '../../../services/services.ts';
import { Lives, PATIENCE_MS } from './lives.ts';
import type { SparkTarget } from './targets.ts';

export const RECORDS_IN_RANGE = 200;
const PARTITIONS = 2;
const CLIENT = 'session_timeout: 6s, request_timeout: 5s, connect_timeout: 2s, transaction_timeout: 6s';

interface SparkRunOptions {
  readonly folder: string;
  /** Of the pipeline, its group and its topic: one that nobody else has. */
  readonly name: string;
  readonly brokers: string;
  readonly spark: Address<'spark'>;
  readonly target: SparkTarget;
}

/** A topic of Kafka whose ranges a hub gives to jobs. */
export class SparkRun {
  readonly lives: Lives;
  readonly #client: KafkaClient;
  readonly #name: string;
  #written = 0;

  private constructor(lives: Lives, client: KafkaClient, name: string) {
    this.lives = lives;
    this.#client = client;
    this.#name = name;
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
    const hub = await createHub(join(folder, 'hub'), pipeline, settings);
    return new SparkRun(new Lives(hub, output), client, name);
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

  /** Until the group has all of the topic behind it. */
  async savesAll(life: HubProcess): Promise<void> {
    for (const until = Date.now() + PATIENCE_MS; (await this.#saved()) < this.#written;) {
      if (!life.alive || Date.now() > until) throw new Error(`not every range was processed:\n${life.output}`);
      await sleep(200);
    }
  }

  judge(note: (ranges: number) => string): Promise<Result> {
    return this.lives.judge(this.#written, note);
  }

  async end(): Promise<void> {
    await this.#client.deleteTopic(this.#name);
    await this.#client.close();
  }

  async #saved(): Promise<number> {
    const offsets = await this.#client.groupOffsets(`sluice.${this.#name}.${this.#name}.sink.spark`);
    return offsets.reduce((sum, { next }) => sum + next, 0);
  }
}
