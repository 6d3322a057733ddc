import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Compression } from '../record/index.ts';
import { storedBatch } from './batches.ts';
import { claims, code, madeTopic, readerOptions, send, type KafkaClientCheck } from './kafka-client-setting.ts';
import { KafkaTap, offsetsOf, valuesOf } from './kafka-tap.ts';

/** Of producers, with and without transactions. */
export const kafkaProducerChecks: readonly KafkaClientCheck[] = [
  {
    name: 'writes the batches of a partition in the order of the calls, once each, and says where',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 2 });
      const producer = await client.openProducer({});
      const numbers = Array.from({ length: 60 }, (_, number) => number);
      const bases = await Promise.all(
        numbers.map((number) => send(producer, topic, [`${number}a`, `${number}b`], { partition: number % 2 })),
      );
      deepStrictEqual(
        bases,
        numbers.map((number) => (number >> 1) * 2),
      );
      const tap = new KafkaTap(client.openReader(readerOptions()));
      for (const partition of [0, 1]) tap.reader.seek(topic, partition, 0);
      const records = await tap.read(120);
      for (const partition of [0, 1]) {
        const mine = numbers.filter((number) => number % 2 === partition);
        deepStrictEqual(
          valuesOf(records, partition),
          mine.flatMap((number) => [`${number}a`, `${number}b`]),
        );
        deepStrictEqual(offsetsOf(records, partition), [...Array(60).keys()]);
      }
      equal(producer.waitingFor, null);
    },
  },
  {
    name: 'keys, values and timestamps come back as they went, null and empty ones too',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      // Not older than any retention, by which brokers delete.
      const now = Date.now();
      const sent = [
        { key: null, value: 'a', timestamp: now - 877 },
        { key: 'k', value: null, timestamp: now - 3_600_000 },
        { key: '', value: '', timestamp: now - 1000 },
        { key: 'ключ', value: 'v'.repeat(3000), timestamp: now - 999 },
      ];
      await send(producer, topic, sent);
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      const records = await tap.read(4);
      deepStrictEqual(
        records.map(({ key, value, timestamp }) => ({ key, value, timestamp })),
        sent,
      );
    },
  },
  {
    name: 'headers come back in their order, repeated and null ones too',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      const bytes = (text: string): Buffer => Buffer.from(text);
      const headers = [
        ['b', bytes('1')],
        ['a', null],
        ['b', bytes('')],
        ['10', bytes('x')],
      ] as const;
      const sending = send(producer, topic, [{ value: 'v', timestamp: Date.now(), headers }]);
      if (setting.lacks.has('headers')) {
        await rejects(sending, code('KAFKA_UNSUPPORTED'));
        return;
      }
      await sending;
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      const [record] = await tap.read(1);
      deepStrictEqual(record?.headers, [
        ['b', '1'],
        ['a', null],
        ['b', ''],
        ['10', 'x'],
      ]);
    },
  },
  {
    name: 'takes batches of every compression',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
      const sent: string[] = [];
      for (const compression of compressions) {
        const values = Array.from({ length: 50 }, (_, number) => `${compression} ${number} ${'x'.repeat(100)}`);
        const sending = send(producer, topic, values, { compression });
        if (compression !== 'zstd' || (await claims(client, 'zstd'))) await sending;
        // A driver may write otherwise what its brokers cannot read, or refuse it.
        const isRefused = await sending.then(() => false, code('KAFKA_UNSUPPORTED'));
        if (!isRefused) sent.push(...values);
      }
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      deepStrictEqual(valuesOf(await tap.read(sent.length)), sent);
    },
  },
  {
    name: 'writes a batch as it was fetched to another topic',
    async run(setting) {
      const client = setting.open();
      const [from, to] = [await madeTopic(client, setting), await madeTopic(client, setting)];
      const producer = await client.openProducer({});
      await send(producer, from, ['before']);
      await send(producer, from, ['a', 'b'], { compression: 'gzip' });
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(from, 0, 1);
      const chunk = await tap.chunk();
      equal(await producer.send(to, 0, Buffer.from(chunk.bytes)), 0);
      chunk.release();
      tap.reader.pause(from, 0);
      tap.reader.seek(to, 0, 0);
      deepStrictEqual(valuesOf(await tap.read(2)), ['a', 'b']);
    },
  },
  {
    name: 'the bytes are the caller’s again once a send settles',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      for (let number = 0; number < 5; number++) {
        const bytes = storedBatch([{ value: `${number}`, timestamp: Date.now() }]);
        await producer.send(topic, 0, bytes);
        bytes.fill(0xee);
      }
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      deepStrictEqual(valuesOf(await tap.read(5)), ['0', '1', '2', '3', '4']);
    },
  },
  {
    name: 'refuses what is too large for the topic, and later batches go on',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { config: { 'max.message.bytes': '2000' } });
      const producer = await client.openProducer({});
      const sends = [['a'], ['x'.repeat(5000)], ['b']].map((values) => send(producer, topic, values));
      const [first, large, second] = await Promise.allSettled(sends);
      deepStrictEqual([first?.status, second?.status], ['fulfilled', 'fulfilled']);
      ok(large?.status === 'rejected' && code('RECORD_TOO_LARGE')(large.reason));
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      deepStrictEqual(valuesOf(await tap.read(2)), ['a', 'b']);
    },
  },
  {
    name: 'refuses topics and partitions that do not exist',
    async run(setting) {
      const client = setting.open({ pace: 10 });
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      await Promise.all([
        rejects(send(producer, setting.name('missing'), ['a']), code('TOPIC_UNKNOWN')),
        rejects(send(producer, topic, ['a'], { partition: 7 }), code('TOPIC_UNKNOWN')),
      ]);
      equal(await send(producer, topic, ['b']), 0);
    },
  },
  {
    name: 'a topic that was deleted is no obstacle for others',
    async run(setting) {
      const client = setting.open({ pace: 10 });
      const [gone, other] = [await madeTopic(client, setting), await madeTopic(client, setting)];
      const producer = await client.openProducer({});
      await send(producer, gone, ['a']);
      await client.deleteTopic(gone);
      await rejects(send(producer, gone, ['b']), code('TOPIC_UNKNOWN'));
      equal(await send(producer, other, ['c']), 0);
    },
  },
  {
    name: 'a committed transaction is seen as a whole, an aborted one never; without transactions that is said',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const transactionalId = setting.name('transactional');
      if (!(await claims(client, 'transactions'))) {
        await rejects(client.openProducer({ transactionalId }), code('KAFKA_UNSUPPORTED'));
        return;
      }
      const producer = await client.openProducer({ transactionalId });
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      await send(producer, topic, ['aborted']);
      await producer.abortTransaction();
      await send(producer, topic, ['a']);
      await send(producer, topic, ['b']);
      equal((await client.offsets(topic, 'stable')).get(0), 2);
      await producer.commitTransaction();
      deepStrictEqual(valuesOf(await tap.read(2)), ['a', 'b']);
      const every = new KafkaTap(client.openReader(readerOptions({ isolation: 'read_uncommitted' })));
      every.reader.seek(topic, 0, 0);
      deepStrictEqual(valuesOf(await every.read(3)), ['aborted', 'a', 'b']);
    },
  },
  {
    name: 'a producer with the same transactional id fences the one before',
    async run(setting) {
      const client = setting.open();
      if (!(await claims(client, 'transactions'))) return;
      const topic = await madeTopic(client, setting);
      const transactionalId = setting.name('transactional');
      const first = await client.openProducer({ transactionalId });
      await send(first, topic, ['before']);
      await first.commitTransaction();
      const second = await client.openProducer({ transactionalId });
      await rejects(
        send(first, topic, ['zombie']).then(() => first.commitTransaction()),
        code('KAFKA_FENCED'),
      );
      await send(second, topic, ['after']);
      await second.commitTransaction();
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      deepStrictEqual(valuesOf(await tap.read(2)), ['before', 'after']);
    },
  },
  {
    name: 'what a closed producer was told is rejected',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      equal(await send(producer, topic, ['a']), 0);
      await producer.close();
      await rejects(send(producer, topic, ['b']), code('KAFKA_CLOSED'));
    },
  },
  {
    name: 'waits for brokers that do not answer, says so, and ends when its signal aborts',
    async run({ open }) {
      const reasons: (string | null)[] = [];
      const client = open({ brokers: ['127.0.0.1:1'], onWait: (reason) => reasons.push(reason) });
      const giveUp = new AbortController();
      const asking = client.cluster(giveUp.signal);
      asking.catch(() => undefined);
      const deadline = performance.now() + 10_000;
      while (reasons.length === 0 && performance.now() < deadline) await delay(20);
      ok(reasons[0]?.includes('127.0.0.1:1'), `it said ${String(reasons[0])}`);
      giveUp.abort(new Error('enough'));
      await rejects(asking, /enough/);
      equal(reasons.at(-1), null);
    },
  },
];
