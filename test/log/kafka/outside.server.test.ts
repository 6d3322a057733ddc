import { openKafka, type KafkaClient } from '../../../src/kafka/index.ts';
import {
  checkKafkaLog,
  forgetKafkaSink,
  forgetKafkaSource,
  readKafkaState,
  sinkGroup,
  type SavedView,
} from '../../../src/log/index.ts';
import { BufferPool, RecordView } from '../../../src/record/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { storedBatch } from '../../../src/testing/index.ts';
import { kafkaSettings, quietLog as log } from '../../kafka/support/clients.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { Logs, planOf } from './support/setting.ts';

serverSuite('what somebody from outside sees of a log on Kafka', ['kafka'], (where) => {
  let client: KafkaClient;
  let pipeline: string;
  let logs: Logs;

  beforeEach(() => {
    client = openKafka(kafkaSettings({ driver: 'native', brokers: [where.kafka.brokers] }), { clock: realClock, log });
    pipeline = uniqueName('outside');
    logs = new Logs(client, pipeline);
  });
  afterEach(async () => {
    await logs.close();
    await client.close();
  });

  const signal = (): AbortSignal => AbortSignal.timeout(20_000);

  function look(group: string): Promise<SavedView> {
    const plan = {
      name: pipeline,
      topic: pipeline,
      deadLetterTopic: `${pipeline}.dead`,
      writesTopic: true,
      sinks: ['sink'],
    };
    return readKafkaState({ client, group, pipelines: [plan], clock: realClock, log, signal: signal() });
  }

  test('a check finds topics that are missing, differ or take too little, and makes none', async () => {
    const check = async (plan: Parameters<typeof planOf>[1] = {}): Promise<string[]> => {
      const options = { client, group: 'g', plan: planOf(pipeline, plan), sinks: ['sink'], signal: signal() };
      const found = await checkKafkaLog(options);
      return found
        .filter(({ about }) => about.includes(pipeline))
        .map(({ about, message, severity }) => `${severity} ${about.replaceAll(pipeline, 'P')}: ${message}`);
    };
    expect(await check()).toEqual(['note topic P: will be created', 'note topic P.dead: will be created']);
    expect(await check({ sources: [], deadLetter: null })).toEqual([
      'warning topic P: it does not exist, and the pipeline has no sources: it waits until somebody makes it',
    ]);
    expect(await check({ deadLetter: null, topic: { replicationFactor: 3 } })).toEqual([
      expect.stringMatching(/^error topic P: creating topic .*replication/i),
    ]);
    expect(await client.topics([pipeline], signal())).toEqual([]);
    const config = { 'max.message.bytes': '1000' };
    await client.createTopic({ name: pipeline, partitions: 2, replicationFactor: 1, config }, signal());
    expect(await check({ deadLetter: null })).toEqual([
      'note topic P: exists: 2 partitions, replication 1',
      'warning topic P: it has 2 partitions, the pipeline says 3: its own are used',
      expect.stringMatching(
        /^warning topic P: it refuses batches above 1000 bytes, \d+ are needed: raise its max\.message\.bytes/,
      ),
    ]);
  });

  test('the state of a pipeline: positions, offsets of the group, and records of the sink where those are gone', async () => {
    const group = uniqueName('g');
    expect(await look(group)).toMatchObject({ topics: [], pipelines: [{ pipeline, sources: [], sinks: [] }] });
    const topicLog = await logs.open({ group });
    await topicLog.commit({
      positions: [
        ['source', 'a/b', { at: 7 }],
        ['one', 'x', 1],
      ],
    });
    await topicLog.positions('source');
    const pool = new BufferPool({ budgetBytes: 1024 * 1024, bufferBytes: 64 * 1024 });
    const options = { sink: 'sink', topic: pipeline, start: 'earliest', pool, fetchBytes: 64 * 1024 } as const;
    const subscription = await topicLog.subscribe(options);
    expect(await subscription.next(signal())).toMatchObject({ type: 'assigned' });
    await subscription.commit([{ partition: 1, next: 0 }]);
    await subscription.close();
    await logs.close();
    const { topics, pipelines } = await look(group);
    expect(topics).toMatchObject([
      { name: pipeline, owner: pipeline, partitions: 3, starts: [0, 0, 0], ends: [0, 0, 0] },
      { name: `${pipeline}.dead`, owner: pipeline, partitions: 1 },
    ]);
    const [{ sources, sinks }] = pipelines as [SavedView['pipelines'][number]];
    expect(sources).toContainEqual({ source: 'source', partition: 'hub-1/a/b', position: { at: 7 } });
    expect(sources).toContainEqual({ source: 'one', partition: 'x', position: 1 });
    expect(sinks.map(({ partition, next }) => [partition, next])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    expect(new Set(sinks.map(({ incarnation }) => incarnation))).toEqual(new Set([topics[0]!.incarnation]));

    const asked = { client, owner: { group, pipeline }, clock: realClock, log, signal: signal() };
    // The hub's member is a static one: the group has it until its session is over.
    const busy = forgetKafkaSource({ ...asked, sinks: ['sink'] }, 'source');
    await expect(busy).rejects.toMatchObject({
      code: 'KAFKA_REFUSED',
      message: expect.stringContaining(`${sinkGroup({ group, pipeline, hubId: '' }, 'sink')} has a member`) as string,
    });
    await expect(forgetKafkaSink({ ...asked, sinks: [] }, 'sink')).rejects.toMatchObject({ code: 'KAFKA_REFUSED' });
    expect(await forgetKafkaSink({ ...asked, sinks: [] }, 'nobody')).toBe(false);
    expect(await forgetKafkaSource({ ...asked, sinks: [] }, 'source')).toBe(true);
    expect(await forgetKafkaSource({ ...asked, sinks: [] }, 'source')).toBe(false);
    const [left] = (await look(group)).pipelines;
    expect(left!.sources).toEqual([{ source: 'one', partition: 'x', position: 1 }]);
  });

  test('records are read as they are stored, from an offset on and up to another, and no more', async () => {
    const group = uniqueName('g');
    const topicLog = await logs.open({ group });
    for (let value = 0; value < 3; value++)
      await topicLog.commit({
        batches: [{ topic: pipeline, partition: 2, bytes: storedBatch([{ value: `${value}` }]), count: 1 }],
      });
    const view = await look(group);
    const values = async (options?: { from?: number; to?: number }): Promise<string[]> => {
      const records = new RecordView({ decode: (bytes) => bytes });
      const found: string[] = [];
      for await (const chunk of view.read(pipeline, 2, options)) {
        records.clear();
        records.addStored({ topic: pipeline, partition: 2, incarnation: '' }, chunk, options?.from ?? 0);
        for (let index = 0; index < records.count; index++) found.push(Buffer.from(records.value(index)!).toString());
      }
      return found;
    };
    expect(await values()).toEqual(['0', '1', '2']);
    expect(await values({ from: 1 })).toEqual(['1', '2']);
    expect(await values({ from: 3 })).toEqual([]);
    expect(() => view.read(pipeline, 3)).toThrow('it has no partition 3 here');
  });
});
