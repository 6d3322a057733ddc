import { batchOf, until } from '../../../src/testing/topic-log-reader.ts';
import { ManualClock } from '../../../src/testing/index.ts';
import { FakeCluster } from './support/fake-cluster.ts';
import { FakeKafka } from './support/fake-kafka.ts';
import { Logs } from './support/setting.ts';

let cluster: FakeCluster;
let logs: Logs;

beforeEach(() => {
  cluster = new FakeCluster();
  logs = new Logs(new FakeKafka(cluster), 'orders');
});

afterEach(async () => {
  await logs.close();
});

test('what is missing is created as the pipeline says', async () => {
  const log = await logs.open({
    plan: { topic: { partitions: 5, config: { 'segment.ms': '1000', 'retention.ms': '7' } } },
  });
  expect(log.describe('orders')).toMatchObject({ name: 'orders', partitions: 5 });
  expect(log.describe('orders.dead').partitions).toBe(1);
  const config = (name: string): unknown => Object.fromEntries(cluster.topics.get(name)!.config);
  expect(config('orders')).toMatchObject({ 'segment.ms': '1000', 'retention.ms': '7' });
  expect(config('orders.dead')).toMatchObject({ 'retention.ms': '-1' });
  expect(config('__sluice_checkpoints')).toMatchObject({ 'cleanup.policy': 'compact' });
  expect(cluster.topics.get('__sluice_checkpoints')!.partitions).toHaveLength(8);
});

test('the largest batch that a pipeline writes fits its topics', async () => {
  await logs.open({ plan: { topic: { maxRecordBytes: 5_000_000 } } });
  for (const name of ['orders', 'orders.dead'])
    expect(Number(cluster.topics.get(name)!.config.get('max.message.bytes'))).toBeGreaterThan(5_000_000);
});

test('a topic that is there stays as it is, and what is wrong with it is said', async () => {
  cluster.create('orders', 2);
  const log = await logs.open({ plan: { topic: { maxRecordBytes: 1_048_589 } } });
  expect(log.describe('orders')).toMatchObject({ partitions: 2, maxBatchBytes: 1_048_588 });
  expect(logs.messages()).toEqual(
    expect.arrayContaining([
      'topic has another number of partitions than the pipeline says, using its own',
      'acknowledged records may be lost with one broker: min.insync.replicas of the topic is 1',
      'topic takes less than the pipeline may write, larger records become dead letters: raise max.message.bytes of the topic or lower max_record',
    ]),
  );
  expect(cluster.topics.get('orders')!.config.get('max.message.bytes')).toBe('1048588');
  await expect(log.commit({ batches: [batchOf('orders', 2, ['v'])] })).rejects.toMatchObject({ code: 'LOG_IO' });
});

test('a topic with the defaults of a broker is good enough for the default record limit', async () => {
  cluster.create('orders', 2);
  await logs.open({ plan: { topic: { maxRecordBytes: 1_048_576 } } });
  expect(logs.messages().filter((message) => message.startsWith('topic takes less'))).toEqual([]);
});

test('a checkpoint topic that would expire is made a compacted one', async () => {
  cluster.create('__sluice_checkpoints', 3, { 'cleanup.policy': 'delete' });
  await logs.open();
  expect(cluster.topics.get('__sluice_checkpoints')!.config.get('cleanup.policy')).toBe('compact');
});

test('partitions that somebody adds to the checkpoint topic move no key', async () => {
  const log = await logs.open();
  await log.commit({ positions: [['source', 'file', 1]] });
  const { partitions } = cluster.topics.get('__sluice_checkpoints')!;
  partitions.push(...cluster.create('more', 5).partitions);
  await log.close();
  const again = await logs.open();
  expect([...(await again.positions('source'))]).toEqual([['file', 1]]);
});

test('a pipeline that only reads waits for its topic', async () => {
  await expect(logs.open({ plan: { sources: [] } })).rejects.toMatchObject({
    code: 'TOPIC_UNKNOWN',
    retryable: true,
    message: expect.stringContaining('waiting for topic "orders"') as unknown,
  });
  expect(cluster.topics.has('orders')).toBe(false);
  cluster.create('orders', 2);
  expect((await logs.open({ plan: { sources: [] } })).describe('orders').partitions).toBe(2);
});

test('a topic that is deleted is created again when nobody else does within 10 s', async () => {
  const clock = new ManualClock();
  const log = await logs.open({ clock });
  cluster.topics.delete('orders');
  const commit = (): Promise<void> => log.commit({ batches: [batchOf('orders', 0, ['v'])] });
  await expect(commit()).rejects.toMatchObject({ code: 'LOG_IO', retryable: true });
  await clock.advance(9000);
  await expect(commit()).rejects.toMatchObject({ code: 'LOG_IO' });
  expect(cluster.topics.has('orders')).toBe(false);
  await clock.advance(1000);
  await expect(commit()).rejects.toMatchObject({ code: 'LOG_IO' });
  await until(() => cluster.topics.has('orders'));
  await commit();
});
