import { SluiceError } from '../../../src/api/index.ts';
import type { KafkaEvent } from '../../../src/kafka/index.ts';
import type { SubscriptionEvent, TopicLog, TopicSubscription } from '../../../src/log/index.ts';
import { BufferPool } from '../../../src/record/index.ts';
import { batchOf, LogReader, until } from '../../../src/testing/topic-log-reader.ts';
import { checkpointsIn } from './support/checkpoints-in.ts';
import { FakeCluster } from './support/fake-cluster.ts';
import { FakeKafka } from './support/fake-kafka.ts';
import { Logs } from './support/setting.ts';

const GROUP = 'sluice.default.orders.sink.all';
const KEY = 'default/orders/sink/all/orders';

let cluster: FakeCluster;
let kafka: FakeKafka;
let logs: Logs;
let log: TopicLog;

beforeEach(async () => {
  cluster = new FakeCluster();
  kafka = new FakeKafka(cluster);
  logs = new Logs(kafka, 'orders');
  log = await logs.open();
});

afterEach(async () => {
  await logs.close();
});

const state = (partition: number): unknown => checkpointsIn(cluster).get(`${KEY}/${partition}`);
const offset = (partition: number): number | undefined => cluster.offsetsOf(GROUP).get(`orders/${partition}`);

function inject(type: 'revoked', partitions: readonly number[], isLost: boolean): { isDone: boolean } {
  const told = { isDone: false };
  const event: KafkaEvent = {
    type,
    partitions: partitions.map((partition) => ({ topic: 'orders', partition, incarnation: 'topic-1' })),
    isLost,
    done: () => {
      told.isDone = true;
    },
  };
  cluster.inject(GROUP, event);
  return told;
}

async function revoked(reader: LogReader): Promise<Extract<SubscriptionEvent, { type: 'revoked' }>> {
  const event = await reader.event();
  if (event.type !== 'revoked') throw new Error(`${event.type} instead of revoked`);
  return event;
}

function subscribe(keyed = false): Promise<TopicSubscription> {
  const pool = new BufferPool({ budgetBytes: 1 << 20, bufferBytes: 65_536 });
  return log.subscribe({ sink: 'all', topic: 'orders', start: 'earliest', keyed, pool, fetchBytes: 65_536 });
}

describe('state records', () => {
  test('are saved with the start, before anything is read', async () => {
    await log.commit({ batches: [batchOf('orders', 0, ['a', 'b'])] });
    await LogReader.open(log, { sink: 'all', topic: 'orders', start: 'latest', seeks: false });
    expect(state(0)).toEqual({ topicId: 'topic-1', partitions: 3, next: 2, reset: 0, cuts: 0 });
    expect(offset(0)).toBe(2);
  });

  test('follow the offsets that the group saved', async () => {
    await log.commit({ batches: [batchOf('orders', 0, ['a', 'b'])] });
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    await reader.subscription.commit([{ partition: 0, next: 1 }]);
    expect(offset(0)).toBe(1);
    await until(() => (state(0) as { next: number }).next === 1);
    cluster.onCommitOffsets = () => {
      throw new SluiceError('KAFKA_DENIED', 'made up');
    };
    await expect(reader.subscription.commit([{ partition: 0, next: 2 }])).rejects.toMatchObject({
      code: 'KAFKA_DENIED',
    });
    await log.close();
    expect(state(0)).toMatchObject({ next: 1 });
  });

  test('tell where a sink stood whose offsets the cluster forgot, and when an operator set it back', async () => {
    await log.commit({ batches: [batchOf('orders', 0, ['a', 'b', 'c'])] });
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    await reader.subscription.commit([{ partition: 0, next: 2 }]);
    await log.close();
    cluster.groups.delete(GROUP);
    log = await logs.open();
    const second = await LogReader.open(log, { sink: 'all', topic: 'orders', start: 'latest' });
    expect(second.committed).toEqual([2, 0, 0]);
    expect(offset(0)).toBe(2);
    await log.close();
    cluster.offsetsOf(GROUP).set('orders/0', 0);
    log = await logs.open();
    const third = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    expect(third.committed).toEqual([0, 0, 0]);
    expect(third.resets).toEqual([1, 0, 0]);
    await log.close();
    log = await logs.open();
    expect((await LogReader.open(log, { sink: 'all', topic: 'orders' })).resets).toEqual([1, 0, 0]);
  });
});

describe('revoked', () => {
  test('a partition is committed until the group is told that it may have it', async () => {
    await log.commit({ batches: [batchOf('orders', 0, ['a', 'b'])] });
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    await reader.read(2);
    const told = inject('revoked', [0], false);
    const { partitions, done } = await revoked(reader);
    expect(partitions).toEqual([{ topic: 'orders', partition: 0, incarnation: 'topic-1' }]);
    await reader.subscription.commit([{ partition: 0, next: 1 }]);
    expect(told.isDone).toBe(false);
    done();
    expect(told.isDone).toBe(true);
    await reader.subscription.commit([{ partition: 0, next: 2 }]);
    expect(offset(0)).toBe(1);
  });

  test('a partition that is lost is not committed any more', async () => {
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    inject('revoked', [0], true);
    const { done } = await revoked(reader);
    await reader.subscription.commit([
      { partition: 0, next: 7 },
      { partition: 1, next: 0 },
    ]);
    done();
    expect(offset(0)).toBe(0);
  });

  test('a commit that one partition spoils saves the others', async () => {
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    cluster.onCommitOffsets = (_, partition) => {
      if (partition === 2) throw new SluiceError('KAFKA_REBALANCED', 'made up');
    };
    const offsets = [0, 1, 2].map((partition) => ({ partition, next: 5 }));
    await expect(reader.subscription.commit(offsets)).rejects.toMatchObject({ code: 'KAFKA_REBALANCED' });
    expect([0, 1, 2].map(offset)).toEqual([5, 5, 0]);
  });
});

describe('a topic that was deleted and created again', () => {
  async function recreate(partitions: number): Promise<void> {
    cluster.topics.delete('orders');
    cluster.create('orders', partitions);
    await log.commit({ batches: [] });
    cluster.partition('orders', 0).append(batchOf('orders', 0, ['new']).bytes, null);
    cluster.inject(GROUP, { type: 'topic-changed', topic: 'orders', incarnation: 'another' });
  }

  test('is read from its begin under new ids, and nothing of before is committed', async () => {
    await log.commit({ batches: [batchOf('orders', 0, ['a', 'b'])] });
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    await reader.read(2);
    const before = log.describe('orders').incarnation;
    await recreate(2);
    const { partitions, done } = await revoked(reader);
    expect(partitions).toHaveLength(3);
    await reader.subscription.commit([{ partition: 0, next: 2 }]);
    expect(offset(0)).toBe(0);
    done();
    const assigned = await reader.event();
    const { incarnation } = log.describe('orders');
    expect(incarnation).not.toBe(before);
    expect(assigned).toMatchObject({
      type: 'assigned',
      partitions: [0, 1].map((partition) => ({ partition, incarnation, committed: 0, reset: 0 })),
    });
    reader.subscription.seek(0, 0);
    expect(await reader.read(1)).toEqual([{ partition: 0, offset: 0, value: 'new' }]);
  });

  test('stops a sink whose versions are offsets, now and after the next start', async () => {
    const subscription = await subscribe(true);
    const reader = new LogReader(subscription, new BufferPool({ budgetBytes: 1 }));
    expect((await reader.event()).type).toBe('assigned');
    await recreate(3);
    (await revoked(reader)).done();
    await expect(reader.event()).rejects.toMatchObject({ code: 'TOPIC_CHANGED' });
    await subscription.close();
    const again = new LogReader(await subscribe(true), new BufferPool({ budgetBytes: 1 }));
    await expect(again.event()).rejects.toMatchObject({ code: 'TOPIC_CHANGED' });
  });

  test('is waited for while it is gone', async () => {
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    cluster.topics.delete('orders');
    cluster.inject(GROUP, { type: 'topic-changed', topic: 'orders', incarnation: null });
    (await revoked(reader)).done();
    const assigned = reader.event();
    await until(() => logs.messages().includes('topic is gone, waiting until it is there again'));
    cluster.create('orders', 3);
    expect((await assigned).type).toBe('assigned');
  });
});

describe('offsets that the log does not have', () => {
  test('below its begin: the sink goes on there, and says how many records are lost to it', async () => {
    await log.commit({ batches: [batchOf('orders', 0, ['a', 'b']), batchOf('orders', 0, ['c'])] });
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders', seeks: false });
    const partition = cluster.partition('orders', 0);
    partition.batches.shift();
    partition.earliest = 2;
    reader.subscription.seek(0, 0);
    expect(await reader.read(1)).toEqual([{ partition: 0, offset: 2, value: 'c' }]);
    expect(logs.entries).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ partition: 0, records: 2 }) as unknown,
        message: 'records were deleted by retention before the sink had read them',
      }),
    );
  });

  test('above its end: it is read anew under other ids', async () => {
    await log.commit({ batches: [batchOf('orders', 0, ['a'])] });
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders', seeks: false });
    reader.subscription.seek(0, 5);
    (await revoked(reader)).done();
    const assigned = await reader.event();
    expect(assigned).toMatchObject({
      partitions: [
        { partition: 0, incarnation: 'topic-1-1', committed: 0 },
        { partition: 1, incarnation: 'topic-1' },
        { partition: 2, incarnation: 'topic-1' },
      ],
    });
    reader.subscription.seek(0, 0);
    const chunk = await reader.chunk();
    expect(chunk.partition.incarnation).toBe('topic-1-1');
    chunk.release();
  });
});

test('members are static, by the id of the hub', async () => {
  await LogReader.open(log, { sink: 'all', topic: 'orders' });
  expect(kafka.members.map(({ options }) => options)).toMatchObject([
    {
      group: GROUP,
      topics: ['orders'],
      instanceId: 'hub-1',
      isolation: 'read_committed',
      protocol: 'classic',
      sessionTimeoutMs: 8000,
    },
  ]);
});
