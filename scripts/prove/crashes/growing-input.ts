import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient, KafkaProducer } from '../../../src/kafka/index.ts';
import { Ledger, type LedgerCount } from '../../../src/testing/index.ts';
import { sealedValues } from '../kafka/topics.ts';

/** Little, since what a killed hub leaves grows while the next one starts, on a busy machine for long. */
const RECORDS_AT_ONCE = 100;
const PAUSE_MS = 100;

/** Numbered input that grows in several streams, number n in stream n modulo their count, so that the order in each can be judged. */
export abstract class GrowingInput {
  written = 0;
  readonly #streams: number;

  constructor(streams: number) {
    this.#streams = streams;
  }

  protected abstract append(stream: number, records: readonly string[]): Promise<void>;

  async grow(): Promise<void> {
    for (let stream = 0; stream < this.#streams; stream++) {
      const records = Array.from({ length: RECORDS_AT_ONCE }, (_, index) => {
        const n = this.written + index * this.#streams + stream;
        return `{"n":${n},"text":"${'x'.repeat(n % 500)}"}`;
      });
      await this.append(stream, records);
    }
    this.written += RECORDS_AT_ONCE * this.#streams;
  }

  async growUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.grow();
      await sleep(PAUSE_MS);
    }
  }

  /** Under load until a hub is dead. */
  async growUntilEnd(ended: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    void ended.then(() => {
      over.abort();
    });
    await this.growUntil(over.signal);
  }

  /** Nothing is there yet. `isOrdered`: numbers of a stream have to rise. */
  ledger({ isOrdered = true }: { isOrdered?: boolean } = {}): Ledger {
    return new Ledger({
      expected: this.written,
      ...(isOrdered ? { streamOf: (n: number) => n % this.#streams } : {}),
    });
  }

  judge(values: readonly string[]): LedgerCount {
    const ledger = this.ledger();
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

/** Partitions of a topic that is made for it. */
export class GrowingTopic extends GrowingInput {
  readonly #topic: string;
  readonly #producer: KafkaProducer;

  static async create(client: KafkaClient, topic: string, partitions: number): Promise<GrowingTopic> {
    await client.createTopic({ name: topic, partitions, replicationFactor: -1 });
    return new GrowingTopic(topic, partitions, await client.openProducer({}));
  }

  private constructor(topic: string, partitions: number, producer: KafkaProducer) {
    super(partitions);
    this.#topic = topic;
    this.#producer = producer;
  }

  protected async append(partition: number, values: readonly string[]): Promise<void> {
    await this.#producer.send(this.#topic, partition, sealedValues(values));
  }
}
