import { SluiceError, type WriteResult } from '../../src/api/index.ts';
import { openKafka, type KafkaClient, type KafkaSettings } from '../../src/kafka/index.ts';
import { sinkGroup } from '../../src/log/index.ts';
import { realClock } from '../../src/telemetry/index.ts';
import { batchOf } from '../../src/testing/topic-log-reader.ts';
import { kafkaSettings, quietLog as log } from '../kafka/support/clients.ts';
import { Logs } from '../log/kafka/support/setting.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { numbered } from './support/fill.ts';
import { accepted, eventually, sinkOf, startTest, values, type Started } from './support/pipeline.ts';

const COUNT = 20;
const PATIENCE_MS = 40_000;

type Write = (records: string[]) => WriteResult | Promise<WriteResult>;

const valuesOf = (partition: number): string[] => numbered(COUNT).map((number) => `${partition}:${number}`);
const statusOf = ({ pipeline }: Started): ReturnType<typeof pipeline.status>['sinks'][number] =>
  pipeline.status().sinks[0]!;

serverSuite('a rebalance while a batch is in flight', ['kafka'], (where) => {
  const groups: Group[] = [];

  afterEach(async () => {
    for (const group of groups.splice(0)) await group.close();
  });

  async function prove(driver: KafkaSettings['driver'], books: Partial<ReturnType<typeof statusOf>>): Promise<void> {
    const settings = kafkaSettings({ driver, brokers: [where.kafka.brokers] });
    const group = new Group(openKafka(settings, { clock: realClock, log }));
    groups.push(group);
    await group.pour();

    const taken: string[] = [];
    const release = Promise.withResolvers<WriteResult>();
    const first = await group.join('hub-1', (records) => {
      taken.push(...records);
      return release.promise;
    });
    await eventually(() => taken.length === 2 * COUNT, PATIENCE_MS);

    let isOpen = false;
    let offered: string[] = [];
    const delivered: string[] = [];
    const second = await group.join('hub-2', (records) => {
      offered = records;
      const error = new SluiceError('SINK_UNAVAILABLE', 'writing: HTTP 503', { retryable: true });
      if (!isOpen) return { batch: { disposition: 'retry', error } };
      delivered.push(...records);
      return accepted;
    });
    await eventually(() => offered.length > 0, PATIENCE_MS);
    expect(first.lines.map(({ message }) => message)).toContain('partitions given up before they were finished');
    const lost = Number(offered[0]!.split(':')[0]);
    const kept = 1 - lost;
    expect(await group.offsets()).toEqual([0, 0]);

    release.resolve(accepted);
    expect((await group.offsetsWith(kept, COUNT))[lost]).toBe(0);
    expect(statusOf(first)).toMatchObject({ ...books, records: COUNT, inFlight: 0 });

    isOpen = true;
    expect((await group.offsetsWith(lost, COUNT))[kept]).toBe(COUNT);
    expect(delivered).toEqual(valuesOf(lost));
    expect(new Set(taken)).toEqual(new Set([...valuesOf(0), ...valuesOf(1)]));
    // What was in flight is all that is repeated.
    expect(taken.length + delivered.length).toBe(2 * COUNT + books.returned!);
    expect(statusOf(second)).toMatchObject({ records: COUNT, inFlight: 0 });
  }

  test('is waited for no longer than ten seconds; then its acknowledgement saves nothing of what was given up', async () => {
    await Promise.all([
      // Cooperative: one partition moves, the other stays. Eager: both are given up, and one of them is read anew.
      prove('native', { read: 2 * COUNT, returned: COUNT }),
      prove('kafkajs', { read: 3 * COUNT, returned: 2 * COUNT }),
    ]);
  });
});

/** Hubs of one pipeline on a topic with two partitions. */
class Group {
  readonly #client: KafkaClient;
  readonly #topic = uniqueName('rebalance');
  readonly #logs: Logs;
  readonly #hubs: Started[] = [];

  constructor(client: KafkaClient) {
    this.#client = client;
    this.#logs = new Logs(client, this.#topic);
  }

  async pour(): Promise<void> {
    const topicLog = await this.#logs.open({ plan: { topic: { partitions: 2 } } });
    const batches = [0, 1].map((partition) => batchOf(this.#topic, partition, valuesOf(partition)));
    await topicLog.commit({ batches });
  }

  /** Batches wait for more, so that one takes both partitions where a hub has both. */
  async join(hubId: string, write: Write): Promise<Started> {
    const hub = startTest({
      log: await this.#logs.open({ hubId, plan: { topic: { partitions: 2 } } }),
      sinks: [sinkOf((batch) => write(values(batch)))],
      sink: { batch: { maxRecords: 1000, maxBytes: 1_000_000, maxAgeMs: 15_000 } },
      topic: { name: this.#topic },
      deadLetter: { topic: `${this.#topic}.dead` },
    });
    this.#hubs.push(hub);
    return hub;
  }

  /** As saved for the group, by partition. */
  async offsets(): Promise<number[]> {
    const owner = { group: 'default', pipeline: this.#topic, hubId: 'hub-1' };
    const offsets = await this.#client.groupOffsets(sinkGroup(owner, 'sink0'));
    return [0, 1].map((partition) => offsets.find((one) => one.partition === partition)?.next ?? 0);
  }

  /** All of them, once that of this partition is saved. */
  async offsetsWith(partition: number, offset: number): Promise<number[]> {
    let offsets = await this.offsets();
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (offsets[partition] !== offset && performance.now() < giveUpAt) offsets = await this.offsets();
    expect(offsets[partition]).toBe(offset);
    return offsets;
  }

  async close(): Promise<void> {
    await Promise.all(this.#hubs.map(({ pipeline }) => pipeline.stop({ deadlineMs: 2000 })));
    await this.#logs.close();
    await this.#client.close();
  }
}
