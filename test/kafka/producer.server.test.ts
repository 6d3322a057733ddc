import { isDeepStrictEqual } from 'node:util';
import { readBatchHeader, type Compression } from '../../src/record/index.ts';
import type { KafkaProducer } from '../../src/kafka/index.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { FastClock } from '../pipeline/support/clock.ts';
import { batchOf, Producing } from './support/producing.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

serverSuite('the native producer', ['kafka'], (where) => {
  let producing: Producing;

  beforeAll(() => {
    producing = new Producing(where.kafka.brokers);
  });

  afterAll(() => producing.close());

  test.each<Compression>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'what it writes in %s is read back',
    async (codec) => {
      const topic = await producing.topic();
      const producer = await producing.open();
      const values = upTo(500).map((index) => `value ${index} `.repeat(5));
      await expect(producer.send(topic, 0, batchOf(values, codec))).resolves.toBe(0);
      await expect(producer.send(topic, 0, batchOf(['more'], codec))).resolves.toBe(500);
      expect(await producing.read(topic)).toEqual([...values, 'more']);
    },
  );

  test.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('Produce in version %i', async (highestProduce) => {
    const topic = await producing.topic(2);
    const producer = await producing.open({}, { highestProduce });
    const offsets = [producer.send(topic, 0, batchOf(['a', 'b'])), producer.send(topic, 1, batchOf(['c']))];
    offsets.push(producer.send(topic, 0, batchOf(['d'])));
    await expect(Promise.all(offsets)).resolves.toEqual([0, 0, 2]);
    await expect(producer.send('no topic', 0, batchOf(['e']))).rejects.toMatchObject({ code: 'KAFKA_REFUSED' });
    expect([await producing.read(topic), await producing.read(topic, 1)]).toEqual([['a', 'b', 'd'], ['c']]);
  });

  test('batches of many partitions, sent at once, keep their order in each', async () => {
    const topic = await producing.topic(20);
    const producer = await producing.open();
    const sent = upTo(100).flatMap((index) =>
      upTo(20).map((partition) => producer.send(topic, partition, batchOf([`${index}`]))),
    );
    const offsets = await Promise.all(sent);
    expect(offsets).toEqual(upTo(100).flatMap((index) => upTo(20).map(() => index)));
    for (const partition of [0, 7, 19]) expect(await producing.read(topic, partition)).toEqual(upTo(100).map(String));
    expect(producer.waitingFor).toBeNull();
  });

  test('a batch as it was fetched is written again as a new one', async () => {
    const topic = await producing.topic();
    const producer = await producing.open();
    const bytes = batchOf(['again'], 'lz4');
    await producer.send(topic, 0, bytes);
    bytes.writeInt32BE(77, 4);
    await expect(producer.send(topic, 0, bytes)).resolves.toBe(1);
    expect(readBatchHeader(bytes, 0)).toMatchObject({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      isTransactional: false,
    });
    expect(await producing.read(topic)).toEqual(['again', 'again']);
  });

  test('batches that are refused for good leave those around them as they are', async () => {
    const topic = await producing.topic(1, { 'max.message.bytes': '2000', 'cleanup.policy': 'compact' });
    const other = await producing.topic(1, { 'max.message.bytes': '2000' });
    const producer = await producing.open();
    const large = 'x'.repeat(3000);
    const sent = upTo(60).map((index) => producer.send(other, 0, batchOf([index % 7 === 3 ? large : `${index}`])));
    const outcomes = await Promise.allSettled(sent);
    const kept = upTo(60).filter((index) => index % 7 !== 3);
    expect(upTo(60).filter((index) => outcomes[index]!.status === 'fulfilled')).toEqual(kept);
    expect(outcomes[3]).toMatchObject({
      reason: {
        code: 'RECORD_TOO_LARGE',
        retryable: false,
        message: expect.stringMatching(
          /^producing 30\d\d bytes to partition 0 of topic ".*max\.message\.bytes/,
        ) as string,
      },
    });
    expect(await producing.read(other)).toEqual(kept.map(String));
    // Compacted topics take no records without key.
    await expect(producer.send(topic, 0, batchOf(['no key']))).rejects.toMatchObject({
      code: 'KAFKA_REFUSED',
      message: expect.stringContaining('Compacted topic cannot accept') as string,
    });
  });

  test('a topic that is made while a batch waits for it, and one that is not', async () => {
    const producer = await producing.open({}, {}, new FastClock(10));
    const name = uniqueName('late');
    const sent = producer.send(name, 0, batchOf(['early']));
    await producing.client.createTopic({ name, partitions: 1, replicationFactor: -1 });
    await expect(sent).resolves.toBe(0);
    const never = producer.send(uniqueName('never'), 0, batchOf(['lost']));
    const beyond = producer.send(name, 5, batchOf(['beyond']));
    await expect(Promise.all([expectUnknown(never), expectUnknown(beyond)])).resolves.toBeDefined();
    await expect(producer.send(name, 0, batchOf(['later']))).resolves.toBe(1);
  }, 30_000);

  test('a topic deleted and made anew under the producer', async () => {
    const topic = await producing.topic();
    const producer = await producing.open();
    await Promise.all(upTo(10).map((index) => producer.send(topic, 0, batchOf([`before ${index}`]))));
    await producing.client.deleteTopic(topic);
    const sent = upTo(10).map((index) => producer.send(topic, 0, batchOf([`after ${index}`])));
    await producing.client.createTopic({ name: topic, partitions: 1, replicationFactor: -1 });
    await Promise.all(sent);
    expect(await producing.read(topic)).toEqual(upTo(10).map((index) => `after ${index}`));
  }, 30_000);

  test('records deleted under the producer', async () => {
    const topic = await producing.topic();
    const producer = await producing.open();
    await Promise.all(upTo(10).map((index) => producer.send(topic, 0, batchOf([`before ${index}`]))));
    await deleteRecords(where.kafka.brokers, topic, 10);
    const sent = upTo(10).map((index) => producer.send(topic, 0, batchOf([`after ${index}`])));
    await expect(Promise.all(sent)).resolves.toEqual(upTo(10).map((index) => 10 + index));
    expect(await producing.read(topic)).toEqual(upTo(10).map((index) => `after ${index}`));
  }, 30_000);

  test('what waits when it is closed rejects', async () => {
    const producer = await producing.open();
    const sent = producer.send(uniqueName('never'), 0, batchOf(['a']));
    await producer.close();
    await expect(sent).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
    await expect(producer.send('t', 0, batchOf(['a']))).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
  });

  describe.each([1, 2] as const)('transactions of protocol %i', (highestProtocol) => {
    const openTransactional = (transactionalId: string, transactionTimeoutMs = 30_000): Promise<KafkaProducer> =>
      producing.open({ transactionalId, transactionTimeoutMs }, { highestProtocol });

    test('committed, aborted and committed, with the offsets of a group', async () => {
      const topic = await producing.topic(3);
      const group = uniqueName('group');
      const producer = await openTransactional(uniqueName('id'));
      const generation = { group, generation: -1, memberId: '', instanceId: null };
      for (const [round, isCommit] of [true, false, true, true].entries()) {
        const sent = upTo(9).map((index) => producer.send(topic, index % 3, batchOf([`${round}-${index}`])));
        await producer.sendOffsets(generation, [{ topic, partition: 1, next: 10 + round }]);
        await Promise.all(sent);
        if (isCommit) await producer.commitTransaction();
        else await producer.abortTransaction();
        const offset = isCommit ? 10 + round : 10;
        await producing.settled(topic);
        await untilEqual(() => producing.client.groupOffsets(group), [{ topic, partition: 1, next: offset }]);
      }
      expect(await producing.read(topic)).toEqual(['0-0', '0-3', '0-6', '2-0', '2-3', '2-6', '3-0', '3-3', '3-6']);
      expect(await producing.read(topic, 2, 'read_uncommitted')).toContain('1-5');
    });

    test('many small ones in a row, sent without waiting', async () => {
      const topic = await producing.topic(2);
      const producer = await openTransactional(uniqueName('id'));
      const began = performance.now();
      for (const round of upTo(20)) {
        void producer.send(topic, round % 2, batchOf([`${round}`]));
        await producer.commitTransaction();
      }
      expect(performance.now() - began).toBeLessThan(10_000);
      expect(await producing.read(topic)).toEqual(upTo(10).map((round) => `${2 * round}`));
    });

    test('what is sent while one is being committed belongs to the next', async () => {
      const topic = await producing.topic();
      const producer = await openTransactional(uniqueName('id'));
      void producer.send(topic, 0, batchOf(['first']));
      const committed = producer.commitTransaction();
      const next = producer.send(topic, 0, batchOf(['second']));
      await committed;
      await next;
      await producer.abortTransaction();
      expect(await producing.read(topic)).toEqual(['first']);
    });

    test('the second to open an id fences the first, for ever', async () => {
      const topic = await producing.topic();
      const id = uniqueName('id');
      const first = await openTransactional(id);
      await first.send(topic, 0, batchOf(['lost']));
      const second = await openTransactional(id);
      await second.send(topic, 0, batchOf(['kept']));
      await expect(first.send(topic, 0, batchOf(['zombie']))).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
      await expect(first.commitTransaction()).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
      await expect(first.send(topic, 0, batchOf(['zombie']))).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
      await second.commitTransaction();
      expect(await producing.read(topic)).toEqual(['kept']);
    });

    test('the commit of one that was fenced says so', async () => {
      const topic = await producing.topic();
      const id = uniqueName('id');
      const first = await openTransactional(id);
      await first.send(topic, 0, batchOf(['lost']));
      await openTransactional(id);
      await expect(first.commitTransaction()).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
      expect(await producing.read(topic)).toEqual([]);
    });

    test('a refused batch breaks its transaction, and the next one is whole', async () => {
      const topic = await producing.topic(2, { 'max.message.bytes': '2000' });
      const producer = await openTransactional(uniqueName('id'));
      const fine = producer.send(topic, 1, batchOf(['fine']));
      await fine;
      await expect(producer.send(topic, 0, batchOf(['x'.repeat(3000)]))).rejects.toMatchObject({
        code: 'RECORD_TOO_LARGE',
      });
      await expect(producer.send(topic, 1, batchOf(['after']))).rejects.toMatchObject({ code: 'KAFKA_TRANSACTION' });
      await expect(producer.commitTransaction()).rejects.toMatchObject({ code: 'KAFKA_TRANSACTION' });
      await producer.send(topic, 1, batchOf(['whole']));
      await producer.commitTransaction();
      expect(await producing.read(topic, 1)).toEqual(['whole']);
    });

    test('an abort while batches are under way, and what follows', async () => {
      const topic = await producing.topic();
      const producer = await openTransactional(uniqueName('id'));
      for (const round of upTo(5)) {
        const sent = upTo(8).map((index) => producer.send(topic, 0, batchOf([`aborted ${round}-${index}`])));
        const settled = Promise.allSettled(sent);
        await producer.abortTransaction();
        await settled;
        await producer.send(topic, 0, batchOf([`${round}`]));
        await producer.commitTransaction();
      }
      expect(await producing.read(topic)).toEqual(upTo(5).map(String));
    });

    test('offsets of a member that is not in the group break the transaction', async () => {
      const topic = await producing.topic();
      const producer = await openTransactional(uniqueName('id'));
      const generation = { group: uniqueName('group'), generation: 3, memberId: 'somebody', instanceId: null };
      await producer.send(topic, 0, batchOf(['lost']));
      const offsets = producer.sendOffsets(generation, [{ topic, partition: 0, next: 1 }]);
      await expect(offsets).rejects.toMatchObject({ code: 'KAFKA_REBALANCED' });
      await producer.abortTransaction();
      await producer.send(topic, 0, batchOf(['kept']));
      await producer.commitTransaction();
      expect(await producing.read(topic)).toEqual(['kept']);
    });

    test('nothing to end is no error, and closing aborts what is open', async () => {
      const topic = await producing.topic();
      const producer = await openTransactional(uniqueName('id'));
      await producer.commitTransaction();
      await producer.abortTransaction();
      await producer.send(topic, 0, batchOf(['lost']));
      await producer.close();
      await producing.settled(topic);
      await expect(producer.commitTransaction()).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
    });
  });

  test('a transaction that took too long is sent again, by the same producer', async () => {
    const topic = await producing.topic();
    const producers = await Promise.all(
      ([1, 2] as const).map((highestProtocol) =>
        producing.open({ transactionalId: uniqueName('id'), transactionTimeoutMs: 1000 }, { highestProtocol }),
      ),
    );
    for (const producer of producers) await producer.send(topic, 0, batchOf(['lost']));
    // The broker looks for old transactions every ten seconds.
    await producing.settled(topic);
    for (const late of producers) {
      await expect(late.send(topic, 0, batchOf(['late']))).rejects.toMatchObject({ code: 'KAFKA_TRANSACTION' });
      await expect(late.commitTransaction()).rejects.toMatchObject({ code: 'KAFKA_TRANSACTION' });
      await late.send(topic, 0, batchOf(['again']));
      await late.commitTransaction();
    }
    expect(await producing.read(topic)).toEqual(['again', 'again']);
  }, 40_000);
});

async function expectUnknown(sent: Promise<number>): Promise<void> {
  await expect(sent).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
}

/** Until then the coordinator is still writing the end of the transaction. */
async function untilEqual<T>(ask: () => Promise<T>, expected: T): Promise<void> {
  for (const until = performance.now() + 5000; ;) {
    const found = await ask();
    if (isDeepStrictEqual(found, expected) || performance.now() > until) {
      expect(found).toEqual(expected);
      return;
    }
  }
}

async function deleteRecords(brokers: string, topic: string, offset: number): Promise<void> {
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: brokers.split(',') });
  try {
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: BigInt(offset) }] }] });
  } finally {
    await admin.close();
  }
}
