import { SluiceError } from '../../../src/api/index.ts';
import type { TopicLog } from '../../../src/log/index.ts';
import { ManualClock } from '../../../src/testing/index.ts';
import { batchOf, LogReader, until } from '../../../src/testing/topic-log-reader.ts';
import { checkpointsIn, withChecksum } from './support/checkpoints-in.ts';
import { FakeCluster } from './support/fake-cluster.ts';
import { FakeKafka } from './support/fake-kafka.ts';
import { Logs } from './support/setting.ts';

const FILE = 'default/orders/source/source/hub-1/file';
const OTHER = 'default/orders/source/source/hub-1/other';
const DEAD = 'orders.dead';

let cluster: FakeCluster;
let clock: ManualClock;
let logs: Logs;
let log: TopicLog;

beforeEach(async () => {
  cluster = new FakeCluster();
  clock = new ManualClock();
  logs = new Logs(new FakeKafka(cluster), 'orders');
  log = await logs.open({ clock });
});

afterEach(async () => {
  cluster.setDown(false);
  await logs.close();
});

const saved = (key = FILE): unknown => checkpointsIn(cluster).get(key);
const emit = (position: number, value = 'v'): Promise<void> =>
  log.commit({ source: 'source', batches: [batchOf('orders', 0, [value])], positions: [['source', 'file', position]] });

describe('saving', () => {
  test('happens behind the answer, at the latest 100 ms later, with what is newest', async () => {
    await emit(1);
    await emit(2);
    expect(saved()).toBeUndefined();
    await clock.advance(99);
    expect(saved()).toBeUndefined();
    await clock.advance(1);
    await until(() => saved() === 2);
    expect(cluster.topics.get('__sluice_checkpoints')!.partitions.flatMap(({ batches }) => batches)).toHaveLength(1);
  });

  test('happens at once after 16 MiB', async () => {
    const value = 'v'.repeat(1024 * 1024);
    for (let number = 1; number < 16; number++) await emit(number, value);
    expect(saved()).toBeUndefined();
    await emit(16, value);
    await until(() => saved() === 16);
  });

  test('happens before the answer when a position is deleted, or there is nothing else', async () => {
    await log.commit({ positions: [['source', 'file', 7]] });
    expect(saved()).toBe(7);
    await log.commit({ positions: [['source', 'file', null]] });
    expect(saved()).toBeUndefined();
  });

  test('happens at the close', async () => {
    await emit(3);
    await log.close();
    expect(saved()).toBe(3);
  });

  test('names the host of a position only where it hangs on it', async () => {
    await log.commit({
      positions: [
        ['source', 'file', 1],
        ['one', 'table', 2],
        ['two', 'port', 3],
      ],
    });
    expect(Object.fromEntries(checkpointsIn(cluster))).toEqual({
      [FILE]: 1,
      'default/orders/source/one/table': 2,
      'default/orders/source/two/port': 3,
    });
  });

  test('never says more than what is acknowledged, in whatever order brokers answer', async () => {
    cluster.setDown(true);
    const first = emit(1);
    const second = emit(2);
    await clock.advance(1000);
    expect(saved()).toBeUndefined();
    cluster.setDown(false);
    await Promise.all([first, second]);
    await clock.advance(100);
    await until(() => saved() === 2);
  });

  test('leaves out a position whose records, or those before it, were refused', async () => {
    let refused = 0;
    cluster.onSend = (topic) => {
      if (topic === 'orders' && refused++ === 0) throw new SluiceError('RECORD_TOO_LARGE', 'made up');
    };
    const [first, second] = await Promise.allSettled([emit(1), emit(2)]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'RECORD_TOO_LARGE' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'RECORD_TOO_LARGE' } });
    await clock.advance(1000);
    expect(saved()).toBeUndefined();
    await emit(3);
    await clock.advance(100);
    await until(() => saved() === 3);
  });

  test('waits for what came before in the same partition, and for no other', async () => {
    const held = Promise.withResolvers<undefined>();
    cluster.beforeSend = (topic, partition) => (topic === 'orders' && partition === 1 ? held.promise : undefined);
    const order: string[] = [];
    const commit = async (name: string, partition: number, file: string, position: number): Promise<void> => {
      const batches = [batchOf('orders', partition, [name])];
      await log.commit({ source: 'source', batches, positions: [['source', file, position]] });
      order.push(name);
    };
    const all = [
      commit('held', 1, 'file', 1),
      commit('behind it', 0, 'file', 2),
      commit('other', 0, 'other', 3),
      commit('more of the other', 2, 'other', 4),
    ];
    await until(() => order.length === 2);
    expect(order).toEqual(['other', 'more of the other']);
    await clock.advance(100);
    await until(() => saved(OTHER) === 4);
    expect(saved()).toBeUndefined();
    held.resolve(undefined);
    await Promise.all(all);
    expect(order.slice(2)).toEqual(['held', 'behind it']);
    await clock.advance(100);
    await until(() => saved() === 2);
  });

  test('that is refused makes the next commits wait for it, and goes on by itself', async () => {
    let isDenied = true;
    cluster.onSend = (topic) => {
      if (isDenied && topic === '__sluice_checkpoints') throw new SluiceError('KAFKA_DENIED', 'made up');
    };
    await emit(1);
    await clock.advance(100);
    await until(() => logs.messages().includes('positions could not be saved, trying again'));
    await expect(emit(2)).rejects.toMatchObject({ code: 'LOG_IO', retryable: true });
    isDenied = false;
    await clock.advance(1000);
    await until(() => saved() === 1);
    await emit(3);
    await clock.advance(100);
    await until(() => saved() === 3);
  });
});

describe('loading', () => {
  test('knows what is acknowledged and not saved yet', async () => {
    await emit(5);
    expect([...(await log.positions('source'))]).toEqual([['file', 5]]);
    expect(saved()).toBeUndefined();
  });

  test('waits for open transactions of others, and leaves out aborted ones', async () => {
    await log.commit({ positions: [['source', 'file', 1]] });
    await log.close();
    const other = await new FakeKafka(cluster).openProducer({ transactionalId: 'other' });
    const target = cluster.topics.get('__sluice_checkpoints')!.partitions.findIndex(({ end }) => end > 0);
    await other.send('__sluice_checkpoints', target, batchOf('', 0, ['open']).bytes);
    const again = await logs.open({ clock });
    let isLoaded = false;
    const loading = again.positions('source').then((positions) => {
      isLoaded = true;
      return positions;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isLoaded).toBe(false);
    await other.abortTransaction();
    expect([...(await loading)]).toEqual([['file', 1]]);
  });

  test('refuses what a newer version wrote instead of starting anew', async () => {
    const kafka = new FakeKafka(cluster);
    await log.commit({ positions: [['source', 'file', 1]] });
    const log8 = cluster.topics.get('__sluice_checkpoints')!.partitions.find(({ end }) => end > 0)!;
    const [batch] = log8.batches;
    const newer = Buffer.from(batch!.bytes);
    newer.write('9', newer.indexOf('"v":1') + 4);
    log8.append(batchOf('', 0, ['another key']).bytes, null);
    log8.append(withChecksum(newer), null);
    const again = await new Logs(kafka, 'orders').open({ clock });
    await expect(again.positions('source')).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await again.close();
  });
});

describe('taking over', () => {
  test('a source that runs once in the group: the replaced hub is refused and ends for good', async () => {
    await log.positions('one');
    await log.commit({ positions: [['one', 'table', 1]] });
    const other = await logs.open({ clock, hubId: 'hub-2' });
    expect([...(await other.positions('one'))]).toEqual([['table', 1]]);
    await other.commit({ positions: [['one', 'table', 2]] });
    await expect(log.commit({ positions: [['one', 'table', 9]] })).rejects.toMatchObject({
      code: 'KAFKA_FENCED',
      retryable: false,
    });
    await expect(log.commit({ batches: [batchOf('orders', 0, ['late'])] })).rejects.toMatchObject({
      code: 'KAFKA_FENCED',
    });
    expect(log.accepting).toBe(false);
    expect(saved('default/orders/source/one/table')).toBe(2);
  });

  test('shows behind the answer too: whoever reads from the log is told', async () => {
    await log.positions('one');
    const reader = await LogReader.open(log, { sink: 'all', topic: 'orders' });
    const other = await logs.open({ clock, hubId: 'hub-2' });
    await other.positions('one');
    await log.commit({ source: 'one', batches: [batchOf('orders', 0, ['v'])], positions: [['one', 'table', 9]] });
    await reader.read(1);
    const waiting = reader.event();
    await clock.advance(100);
    await expect(waiting).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
  });

  test('aborts what the predecessor had not finished', async () => {
    await log.positions('one');
    cluster.onCommitTransaction = () => {
      cluster.onCommitTransaction = () => undefined;
      throw new SluiceError('LOG_IO', 'cut off');
    };
    const kafka = new FakeKafka(cluster);
    const open = await kafka.openProducer({ transactionalId: 'sluice.default.orders.source.one' });
    await open.send('__sluice_checkpoints', 0, batchOf('', 0, ['unfinished']).bytes);
    const other = await logs.open({ clock, hubId: 'hub-2' });
    expect([...(await other.positions('one'))]).toEqual([]);
    expect(cluster.partition('__sluice_checkpoints', 0).stable).toBe(cluster.partition('__sluice_checkpoints', 0).end);
  });

  test('does not happen to sources that every hub runs, nor where brokers have no transactions', async () => {
    const other = await logs.open({ clock, hubId: 'hub-2' });
    await Promise.all([log.positions('two'), other.positions('two')]);
    await other.commit({ positions: [['two', 'port', 2]] });
    await log.commit({ positions: [['two', 'port', 1]] });
    cluster.features = { ...cluster.features, transactions: false };
    const [older, newer] = [await logs.open({ clock }), await logs.open({ clock, hubId: 'hub-2' })];
    await Promise.all([older.positions('one'), newer.positions('one')]);
    await older.commit({ positions: [['one', 'table', 1]] });
    expect(saved('default/orders/source/one/table')).toBe(1);
  });
});

describe('dead letters of a fenced source', () => {
  const letters = (): number =>
    cluster.partition(DEAD, 0).batches.filter(({ transaction }) => transaction?.state === 'committed').length;

  test('are in one transaction with its positions', async () => {
    await log.commit({
      source: 'one',
      batches: [batchOf('orders', 0, ['v']), batchOf(DEAD, 0, ['bad'])],
      positions: [['one', 'table', 1]],
    });
    expect(letters()).toBe(1);
    expect(saved('default/orders/source/one/table')).toBe(1);
    const [letter] = cluster.partition(DEAD, 0).batches;
    const checkpoint = cluster.topics.get('__sluice_checkpoints')!.partitions.flatMap(({ batches }) => batches)[0];
    expect(letter!.transaction).toBe(checkpoint!.transaction);
  });

  test('are sent again when the transaction was aborted', async () => {
    let times = 0;
    cluster.onCommitTransaction = () => {
      if (times++ === 0) throw new SluiceError('KAFKA_TRANSACTION', 'made up');
    };
    const committed = log.commit({ source: 'one', batches: [batchOf(DEAD, 0, ['bad'])] });
    await until(() => times === 1);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(100);
    await committed;
    expect(letters()).toBe(1);
  });

  test('that are refused take their position with them', async () => {
    cluster.onSend = (topic) => {
      if (topic === DEAD) throw new SluiceError('RECORD_TOO_LARGE', 'made up');
    };
    const request = { source: 'one', batches: [batchOf(DEAD, 0, ['bad'])], positions: [['one', 'table', 1]] } as const;
    await expect(log.commit(request)).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
    await clock.advance(5000);
    await log.close();
    expect(saved('default/orders/source/one/table')).toBeUndefined();
  });

  test('of a sink are written without it', async () => {
    await log.commit({ batches: [batchOf(DEAD, 0, ['bad'])] });
    expect(cluster.partition(DEAD, 0).batches.map(({ transaction }) => transaction)).toEqual([null]);
  });
});

test('input is refused while brokers do not answer for 5 s, and taken again by itself', async () => {
  cluster.setDown(true);
  const waiting = emit(1);
  await clock.advance(4000);
  expect(log.accepting).toBe(true);
  await clock.advance(1001);
  expect(log.accepting).toBe(false);
  cluster.setDown(false);
  await waiting;
  expect(log.accepting).toBe(true);
});

test('closing gives up what brokers that are away do not take', async () => {
  cluster.setDown(true);
  const waiting = emit(1);
  const refused = expect(waiting).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  const closing = log.close();
  await until(() => clock.monotonic() === 0);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(5000);
  await closing;
  await refused;
});
