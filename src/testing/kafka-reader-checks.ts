import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { BufferPool, readBatchHeader } from '../record/index.ts';
import { code, madeTopic, readerOptions, send, type KafkaClientCheck } from './kafka-client-setting.ts';
import { KafkaTap, offsetsOf, valuesOf } from './kafka-tap.ts';

/** Of readers without a group. */
export const kafkaReaderChecks: readonly KafkaClientCheck[] = [
  {
    name: 'reads nothing before a seek, then from there, with the records before it in the batch marked',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 2 });
      const producer = await client.openProducer({});
      for (const partition of [0, 1]) await send(producer, topic, ['a', 'b', 'c', 'd'], { partition });
      const tap = new KafkaTap(client.openReader(readerOptions()));
      await tap.expectNothing();
      tap.reader.seek(topic, 1, 2);
      const chunk = await tap.chunk();
      const [{ incarnation } = { incarnation: '' }] = await client.topics([topic]);
      deepStrictEqual(
        { partition: chunk.partition, from: chunk.from, next: chunk.next },
        { partition: { topic, partition: 1, incarnation }, from: 2, next: 4 },
      );
      const values = valuesOf(tap.take(chunk), 1);
      deepStrictEqual(values, ['c', 'd']);
      await tap.expectNothing();
    },
  },
  {
    name: 'reads what is written later, and knows the end',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      const tap = new KafkaTap(client.openReader(readerOptions()));
      equal(tap.reader.end(topic, 0), 0);
      tap.reader.seek(topic, 0, 0);
      for (const [number, value] of ['a', 'b', 'c'].entries()) {
        await send(producer, topic, [value]);
        deepStrictEqual(valuesOf(await tap.read(1)), [value]);
        equal(tap.reader.end(topic, 0), number + 1);
      }
      equal(tap.reader.waitingFor, null);
    },
  },
  {
    name: 'a seek drops what was fetched before it',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      for (const value of ['a', 'b', 'c']) await send(producer, topic, [value]);
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      await delay(300);
      tap.reader.seek(topic, 0, 2);
      deepStrictEqual(offsetsOf(await tap.read(1)), [2]);
      tap.reader.seek(topic, 0, 1);
      deepStrictEqual(offsetsOf(await tap.read(2)), [1, 2]);
    },
  },
  {
    name: 'a paused partition rests while others are read, and goes on where it was',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 2 });
      const producer = await client.openProducer({});
      const tap = new KafkaTap(client.openReader(readerOptions()));
      for (const partition of [0, 1]) tap.reader.seek(topic, partition, 0);
      await send(producer, topic, ['a']);
      deepStrictEqual(valuesOf(await tap.read(1)), ['a']);
      tap.reader.pause(topic, 0);
      await send(producer, topic, ['b']);
      await send(producer, topic, ['c'], { partition: 1 });
      deepStrictEqual(valuesOf(await tap.read(1), 1), ['c']);
      await tap.expectNothing();
      tap.reader.resume(topic, 0);
      deepStrictEqual(valuesOf(await tap.read(1)), ['b']);
      tap.reader.pause(topic, 0);
      tap.reader.seek(topic, 0, 0);
      deepStrictEqual(valuesOf(await tap.read(2)), ['a', 'b']);
    },
  },
  {
    name: 'chunks are whole batches, each where the one before ended, not above fetchBytes unless one batch is',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      const sizes = [10, 10, 30_000, 10, 900, 900, 10];
      for (const size of sizes) await send(producer, topic, ['v'.repeat(size)]);
      const tap = new KafkaTap(client.openReader(readerOptions({ fetchBytes: 1500 })));
      tap.reader.seek(topic, 0, 0);
      for (let at = 0; at < sizes.length;) {
        const chunk = await tap.chunk();
        equal(chunk.from, at);
        let [batches, end] = [0, 0];
        for (; end < chunk.bytes.length; batches++) end += readBatchHeader(chunk.bytes, end).byteLength;
        equal(end, chunk.bytes.length);
        ok(chunk.bytes.length <= 1500 || batches === 1, `${chunk.bytes.length} bytes in ${batches} batches`);
        at = chunk.next;
        chunk.release();
      }
    },
  },
  {
    name: 'an offset that the partition does not hold is told, and nothing is read until a seek',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const producer = await client.openProducer({});
      await send(producer, topic, ['a', 'b']);
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 17);
      const { partition, offset, earliest, latest } = await tap.next('out-of-range');
      deepStrictEqual([partition.topic, partition.partition], [topic, 0]);
      deepStrictEqual({ offset, earliest, latest }, { offset: 17, earliest: 0, latest: 2 });
      await send(producer, topic, ['c']);
      await tap.expectNothing();
      tap.reader.seek(topic, 0, latest);
      deepStrictEqual(valuesOf(await tap.read(1)), ['c']);
    },
  },
  {
    name: 'a topic that is deleted is told',
    async run(setting) {
      const client = setting.open();
      const [topic, other] = [await madeTopic(client, setting), await madeTopic(client, setting)];
      const producer = await client.openProducer({});
      await send(producer, topic, ['a']);
      const tap = new KafkaTap(client.openReader(readerOptions()));
      tap.reader.seek(topic, 0, 0);
      tap.reader.seek(other, 0, 0);
      await tap.read(1);
      await client.deleteTopic(topic);
      const event = await tap.next('topic-changed');
      deepStrictEqual([event.topic, event.incarnation], [topic, null]);
      await send(producer, other, ['b']);
      deepStrictEqual(valuesOf(await tap.read(1)), ['b']);
    },
  },
  {
    name: 'without a free buffer nothing is fetched; a released one lets it go on, and in the end all are given back',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 3 });
      const producer = await client.openProducer({});
      for (const partition of [0, 1, 2]) await send(producer, topic, ['v'.repeat(3000)], { partition });
      const pool = new BufferPool({ budgetBytes: 4096, bufferBytes: 4096 });
      const tap = new KafkaTap(client.openReader(readerOptions({ fetchBytes: 4096, pool })));
      for (const partition of [0, 1, 2]) tap.reader.seek(topic, partition, 0);
      const seen = new Set<number>();
      for (let number = 0; number < 3; number++) {
        const chunk = await tap.chunk();
        seen.add(chunk.partition.partition);
        equal(pool.usedBytes, 4096);
        if (number === 0) await tap.expectNothing();
        chunk.release();
      }
      equal(seen.size, 3);
      await tap.reader.close();
      equal(pool.usedBytes, 0);
    },
  },
  {
    name: 'closing ends whoever waits: the reader, and with the client everything',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const [first, second] = [client.openReader(readerOptions()), client.openReader(readerOptions())];
      for (const reader of [first, second]) reader.seek(topic, 0, 0);
      const never = new AbortController().signal;
      const waiting = [first.next(never), second.next(never)];
      for (const next of waiting) next.catch(() => undefined);
      await first.close();
      await rejects(waiting[0]!, code('KAFKA_CLOSED'));
      await client.close();
      await rejects(waiting[1]!, code('KAFKA_CLOSED'));
      await rejects(client.cluster(), code('KAFKA_CLOSED'));
    },
  },
];
