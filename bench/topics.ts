import { createReadStream } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { BufferPool, openKafka, RecordBatchBuilder, sealBatch, type KafkaClient } from '../src/kafka/index.ts';
import { createLogger, realClock } from '../src/telemetry/index.ts';
import { CommittedCount } from './committed-count.ts';
import type { Lines } from './lines.ts';

export const PARTITIONS = 4;
/** What the hub's own sources make. */
const BATCH_BYTES = 256 * 1024;

/** The bench's own client: makes topics, fills them and asks for their ends. */
export class Topics {
  readonly #client: KafkaClient;
  /** All names that this bench makes begin with it, those that hubs make for their pipelines too. */
  readonly #prefix = `bench-${randomBytes(4).toString('hex')}-`;
  #count = 0;

  constructor(brokers: string) {
    const client = {
      id: 'bench',
      connect_timeout: 10_000,
      request_timeout: 30_000,
      session_timeout: 8000,
      heartbeat_interval: 2000,
      transaction_timeout: 60_000,
      group_protocol: 'classic',
    } as const;
    const log = createLogger({ level: 'error', destination: process.stderr, pretty: false, json: false });
    this.#client = openKafka(
      { brokers: brokers.split(','), tls: false, client, driver: 'native' },
      { clock: realClock, log },
    );
  }

  /** A new one; its name, which ends with `suffix`. */
  async create(purpose: string, suffix = ''): Promise<string> {
    const name = `${this.#prefix}${purpose}-${++this.#count}${suffix}`;
    // What is deleted leaves the disk soon: the next run needs the room.
    const config = { 'file.delete.delay.ms': '1000' };
    await this.#client.createTopic({ name, partitions: PARTITIONS, replicationFactor: 1, config });
    await this.holds(name);
    return name;
  }

  /** How many records it holds. */
  async holds(topic: string): Promise<number> {
    const ends = await this.#client.offsets(topic, 'latest');
    return [...ends.values()].reduce((sum, end) => sum + end, 0);
  }

  /** Counts what is committed to it from now on. */
  follow(topic: string): CommittedCount {
    return new CommittedCount(this.#client, topic, PARTITIONS);
  }

  /** Writes the lines as lz4 batches of the hub's own size, over all partitions in turn. */
  async fill(topic: string, { file }: Lines): Promise<void> {
    const producer = await this.#client.openProducer({});
    const buffer = new BufferPool({ budgetBytes: BATCH_BYTES, bufferBytes: BATCH_BYTES }).tryAcquire()!;
    const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: BATCH_BYTES, now: () => Date.now() });
    let partition = 0;
    const sends: Promise<number>[] = [];
    const seal = async (): Promise<void> => {
      const bytes = Buffer.from(sealBatch(builder, { compression: 'lz4' }));
      builder.reset();
      sends.push(producer.send(topic, partition, bytes));
      partition = (partition + 1) % PARTITIONS;
      if (sends.length > 2 * PARTITIONS) await sends.shift();
    };
    for await (const lines of linesOf(file)) {
      let start = 0;
      for (let end = lines.indexOf(10); end >= 0; end = lines.indexOf(10, start)) {
        if (builder.appendSlice(lines, start, end)) start = end + 1;
        else await seal();
      }
    }
    if (builder.count > 0) await seal();
    await Promise.all(sends);
    await producer.close();
  }

  async remove(topic: string): Promise<void> {
    await this.#client.deleteTopic(topic);
  }

  /** Removes what is left of all runs. */
  async close(): Promise<void> {
    const names = (await this.#client.topics(null)).map(({ name }) => name);
    for (const name of names.filter((each) => each.startsWith(this.#prefix))) await this.#client.deleteTopic(name);
    await this.#client.close();
  }
}

/** Pieces of the file that end with a line. */
async function* linesOf(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    const cut = chunk.lastIndexOf(10) + 1;
    yield Buffer.concat([rest, chunk.subarray(0, cut)]);
    rest = chunk.subarray(cut);
  }
}
