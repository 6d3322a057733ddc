import { openKafka, type KafkaClient, type KafkaSettings } from '../../../src/kafka/index.ts';
import type { TopicLog } from '../../../src/log/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { batchOf, LogReader, until } from '../../../src/testing/topic-log-reader.ts';
import { kafkaSettings, quietLog } from '../../kafka/support/clients.ts';
import { kafkaTool, serverSuite, uniqueName } from '../../support/servers.ts';
import { readShare } from './support/read-share.ts';
import { Logs } from './support/setting.ts';

const GROUPS_TOOL = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';

serverSuite('where sources and sinks stand on Kafka', ['kafka'], (where) => {
  let native: KafkaClient;
  let kafkajs: KafkaClient;
  let topic: string;
  let group: string;
  const opened: Logs[] = [];

  beforeAll(() => {
    const brokers = where.kafka.brokers.split(',');
    const open = (driver: KafkaSettings['driver']): KafkaClient =>
      openKafka(kafkaSettings({ driver, brokers }), { clock: realClock, log: quietLog });
    native = open('native');
    // Its members are no static ones: the group is empty as soon as they are closed.
    kafkajs = open('kafkajs');
  });

  afterAll(async () => {
    await Promise.all([native.close(), kafkajs.close()]);
  });

  beforeEach(() => {
    topic = uniqueName('standing');
    group = `sluice.default.${topic}.sink.all`;
  });

  afterEach(async () => {
    for (const logs of opened.splice(0)) await logs.close();
  });

  function logsOf(client: KafkaClient): Logs {
    const logs = new Logs(client, topic);
    opened.push(logs);
    return logs;
  }

  async function withRecords(logs: Logs, count: number): Promise<TopicLog> {
    const log = await logs.open();
    const values = Array.from({ length: count }, (_, number) => `${number}`);
    await log.commit({ batches: [batchOf(topic, 0, values)] });
    return log;
  }

  test('Kafka’s own tool shows the offsets of a sink: no lag once it has committed', async () => {
    const log = await withRecords(logsOf(native), 5);
    const reader = await LogReader.open(log, { sink: 'all', topic });
    await reader.read(5);
    await reader.subscription.commit([{ partition: 0, next: 5 }]);
    const { stdout } = await kafkaTool(GROUPS_TOOL, [
      '--bootstrap-server',
      where.kafka.brokers,
      '--describe',
      '--group',
      group,
    ]);
    const rows = stdout
      .split('\n')
      .filter((line) => line.startsWith(group))
      .map((line) => line.split(/\s+/).slice(1, 6));
    expect(rows.sort()).toEqual([
      [topic, '0', '5', '5', '0'],
      [topic, '1', '0', '0', '0'],
      [topic, '2', '0', '0', '0'],
    ]);
  });

  test('an operator’s reset by that tool is obeyed, and counted', async () => {
    const logs = logsOf(kafkajs);
    const log = await withRecords(logs, 5);
    const reader = await LogReader.open(log, { sink: 'all', topic });
    await reader.subscription.commit([{ partition: 0, next: 4 }]);
    await log.close();
    const reset = ['--reset-offsets', '--group', group, '--topic', topic, '--to-offset', '2', '--execute'];
    await kafkaTool(GROUPS_TOOL, ['--bootstrap-server', where.kafka.brokers, ...reset]);
    const again = await LogReader.open(await logs.open(), { sink: 'all', topic });
    expect(again.committed).toEqual([2, 0, 0]);
    expect(again.resets).toEqual([1, 0, 0]);
    expect((await again.read(3)).map(({ offset }) => offset)).toEqual([2, 3, 4]);
  });

  test('a group that was deleted goes on where its sink’s state says', async () => {
    const logs = logsOf(kafkajs);
    const log = await withRecords(logs, 5);
    const reader = await LogReader.open(log, { sink: 'all', topic });
    await reader.subscription.commit([{ partition: 0, next: 4 }]);
    await log.close();
    await kafkajs.deleteGroup(group);
    const again = await LogReader.open(await logs.open(), { sink: 'all', topic, start: 'latest' });
    expect(again.committed).toEqual([4, 0, 0]);
    expect(await kafkajs.groupOffsets(group)).toContainEqual({ topic, partition: 0, next: 4 });
  });

  test('a topic that is deleted and created again under a running sink is read from its begin', async () => {
    const logs = logsOf(native);
    const log = await withRecords(logs, 3);
    const reader = await LogReader.open(log, { sink: 'all', topic });
    await reader.read(3);
    await reader.subscription.commit([{ partition: 0, next: 3 }]);
    const before = log.describe(topic).incarnation;
    await native.deleteTopic(topic);
    await native.createTopic({ name: topic, partitions: 2, replicationFactor: 1 });
    await retriedCommit(log, topic, 'new');
    const revoked = await reader.event();
    if (revoked.type !== 'revoked') throw new Error(`${revoked.type} instead of revoked`);
    revoked.done();
    const assigned = await reader.event();
    const { incarnation } = log.describe(topic);
    expect(incarnation).not.toBe(before);
    expect(assigned).toMatchObject({
      type: 'assigned',
      partitions: [0, 1].map((partition) => ({ partition, incarnation, committed: 0 })),
    });
    reader.subscription.seek(0, 0);
    expect(await reader.read(1)).toEqual([{ partition: 0, offset: 0, value: 'new' }]);
  });

  test('a hub that takes over a source fences the one before, and repeats at most what was not saved yet', async () => {
    const logs = logsOf(native);
    const first = await logs.open();
    await first.positions('one');
    const answeredAt: number[] = [];
    const values = ['v'.repeat(200)];
    const end = performance.now() + 1000;
    for (let position = 0; performance.now() < end; position++) {
      await first.commit({
        source: 'one',
        batches: [batchOf(topic, 0, values)],
        positions: [['one', 'table', position]],
      });
      answeredAt.push(performance.now());
    }
    const second = await logs.open({ hubId: 'hub-2' });
    const takenAt = performance.now();
    const saved = Number((await second.positions('one')).get('table'));
    const firstRepeated = answeredAt[saved + 1] ?? takenAt;
    // The opening of the second took some time, in which the first saved on: nothing may be left that is older than a save takes.
    expect(takenAt - firstRepeated).toBeLessThan(100 + 1000);
    const late = first.commit({ positions: [['one', 'table', -1]] });
    await expect(late).rejects.toMatchObject({ code: 'KAFKA_FENCED', retryable: false });
    await second.commit({ positions: [['one', 'table', 'second']] });
    expect([...(await second.positions('one'))]).toEqual([['table', 'second']]);
    await second.close();
    expect([...(await (await logs.open({ hubId: 'hub-3' })).positions('one'))]).toEqual([['table', 'second']]);
  });

  test('a record that the fenced hub put into a transaction is not there for the next', async () => {
    const logs = logsOf(native);
    const first = await logs.open();
    await first.commit({ positions: [['one', 'table', 1]] });
    await (await logs.open({ hubId: 'hub-2' })).positions('one');
    const letter = { source: 'one', batches: [batchOf(`${topic}.dead`, 0, ['late'])] };
    await expect(first.commit(letter)).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
    await until(() => !first.accepting);
    const third = await logs.open({ hubId: 'hub-3' });
    const reader = await LogReader.open(third, { sink: 'dead', topic: `${topic}.dead` });
    await third.commit({ source: 'one', batches: [batchOf(`${topic}.dead`, 0, ['in time'])] });
    expect((await reader.read(1)).map(({ value }) => value)).toEqual(['in time']);
  });

  test('two hubs share a topic, and what one hands over the other goes on with: each record once', async () => {
    const logs = logsOf(native);
    const first = await logs.open();
    const share = (log: TopicLog, pace: AbortController): ReturnType<typeof readShare> =>
      readShare(log, { sink: 'all', topic, signal: pace.signal });
    const ending = new AbortController();
    const one = share(first, ending);
    const write = async (from: number): Promise<void> => {
      for (let number = from; number < from + 30; number++)
        await first.commit({ batches: [batchOf(topic, number % 3, [`${number}`])] });
    };
    await write(0);
    const second = await logs.open({ hubId: 'hub-2' });
    const two = share(second, ending);
    await until(() => two.assigned.size > 0);
    await write(30);
    await until(() => one.values.length + two.values.length >= 60);
    ending.abort();
    await Promise.all([one.ended, two.ended]);
    expect([...one.values, ...two.values].sort()).toEqual(
      Array.from({ length: 60 }, (_, number) => `${number}`).sort(),
    );
    expect(two.values.length).toBeGreaterThan(0);
  });
});

/** Until the log knows the topic as it is now. */
async function retriedCommit(log: TopicLog, topic: string, value: string): Promise<void> {
  for (;;) {
    try {
      await log.commit({ batches: [batchOf(topic, 0, [value])] });
      return;
    } catch (error) {
      expect(error).toMatchObject({ code: 'LOG_IO', retryable: true });
    }
  }
}
