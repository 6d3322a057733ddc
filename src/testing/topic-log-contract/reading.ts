import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { BufferPool, readBatchHeader } from '../../record/index.ts';
import { batchOf, LogReader, valuesOf } from '../topic-log-reader.ts';
import type { TopicLogCheck } from './setting.ts';

/** What a subscription hands out. */
export const readingChecks: readonly TopicLogCheck[] = [
  {
    name: 'an assigned partition is paused until it is sought, then read from there',
    async run({ topic, open }) {
      const log = await open();
      await log.commit({ batches: [0, 1, 2].map((partition) => batchOf(topic, partition, ['a', 'b', 'c'])) });
      const reader = await LogReader.open(log, { sink: 'some', topic, seeks: false });
      reader.subscription.seek(1, 0);
      deepStrictEqual(
        await reader.read(3),
        [0, 1, 2].map((offset) => ({ partition: 1, offset, value: 'abc'[offset] })),
      );
      await reader.expectNothing();
      reader.subscription.seek(2, 1);
      const chunk = await reader.chunk();
      deepStrictEqual(
        { partition: chunk.partition, from: chunk.from, next: chunk.next },
        { partition: { topic, partition: 2, incarnation: log.describe(topic).incarnation }, from: 1, next: 3 },
      );
      equal(readBatchHeader(chunk.bytes, 0).baseOffset, 0);
      chunk.release();
      reader.subscription.seek(2, 2);
      deepStrictEqual(await reader.read(1), [{ partition: 2, offset: 2, value: 'c' }]);
      await log.close();
    },
  },
  {
    name: 'a paused partition rests while others are read, and goes on where it was',
    async run({ topic, open }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      await log.commit({ batches: [batchOf(topic, 0, ['a'])] });
      deepStrictEqual(valuesOf(await reader.read(1), 0), ['a']);
      reader.subscription.pause(0);
      await log.commit({ batches: [batchOf(topic, 0, ['b']), batchOf(topic, 1, ['c'])] });
      deepStrictEqual(valuesOf(await reader.read(1), 1), ['c']);
      await reader.expectNothing();
      reader.subscription.resume(0);
      deepStrictEqual(await reader.read(1), [{ partition: 0, offset: 1, value: 'b' }]);
      reader.subscription.pause(0);
      reader.subscription.seek(0, 0);
      deepStrictEqual(valuesOf(await reader.read(2), 0), ['a', 'b']);
      await log.close();
    },
  },
  {
    name: 'chunks are whole batches back to back, each chunk where the one before ended, not above fetchBytes unless one batch is',
    async run({ topic, open }) {
      const log = await open();
      const sizes = [10, 10, 3000, 10, 200, 200, 200, 10];
      for (const size of sizes) await log.commit({ batches: [batchOf(topic, 0, ['v'.repeat(size)])] });
      const reader = await LogReader.open(log, { sink: 'all', topic, fetchBytes: 700 });
      let at = 0;
      while (at < sizes.length) {
        const chunk = await reader.chunk();
        const { bytes, from, next } = chunk;
        equal(from, at);
        const bases: number[] = [];
        let end = 0;
        for (; end < bytes.length; end += readBatchHeader(bytes, end).byteLength) {
          bases.push(readBatchHeader(bytes, end).baseOffset);
        }
        equal(end, bytes.length);
        deepStrictEqual(bases, [...sizes.keys()].slice(at, next));
        ok(bytes.length <= 700 || bases.length === 1);
        at = next;
        chunk.release();
      }
      await log.close();
    },
  },
  {
    name: 'without a free buffer nothing is fetched; a released one lets it go on',
    async run({ topic, open }) {
      const log = await open();
      const pool = new BufferPool({ budgetBytes: 4096, bufferBytes: 4096 });
      for (let number = 0; number < 3; number++) {
        await log.commit({ batches: [batchOf(topic, number, ['v'.repeat(3000)])] });
      }
      const reader = await LogReader.open(log, { sink: 'all', topic, fetchBytes: 4096, pool });
      const seen = new Set<number>();
      for (let number = 0; number < 3; number++) {
        const chunk = await reader.chunk();
        seen.add(chunk.partition.partition);
        ok(pool.usedBytes > 0);
        await reader.expectNothing();
        // While it waits: nobody but the pool tells it that there is room.
        const following = number < 2 ? reader.event() : null;
        chunk.release();
        if (following === null) break;
        reader.putBack(await following);
      }
      equal(seen.size, 3);
      await log.close();
      equal(pool.usedBytes, 0);
    },
  },
  {
    name: 'whoever waits for records gets them when they are committed',
    async run({ topic, open }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      for (let number = 0; number < 20; number++) {
        const waiting = reader.read(1);
        await log.commit({ batches: [batchOf(topic, number % 3, [`${number}`])] });
        deepStrictEqual((await waiting)[0]?.value, `${number}`);
      }
      await log.close();
    },
  },
  {
    name: 'an aborted wait resolves with null and loses nothing',
    async run({ topic, open }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      equal(await reader.subscription.next(AbortSignal.abort()), null);
      for (let number = 0; number < 20; number++) {
        const controller = new AbortController();
        const waiting = reader.subscription.next(controller.signal);
        const committing = log.commit({ batches: [batchOf(topic, 0, [`${number}`])] });
        // At different moments of the fetch.
        for (let turn = 0; turn < number; turn++) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        const event = await waiting;
        if (event !== null) reader.putBack(event);
        await committing;
        deepStrictEqual(await reader.read(1), [{ partition: 0, offset: number, value: `${number}` }]);
      }
      await log.close();
    },
  },
  {
    name: 'knows the ends: asked for now, and as last seen',
    async run({ topic, open }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      deepStrictEqual(await reader.subscription.ends(), [0, 0, 0]);
      await log.commit({ batches: [batchOf(topic, 2, ['a', 'b']), batchOf(topic, 1, ['c'])] });
      deepStrictEqual(await reader.subscription.ends(), [0, 1, 2]);
      await reader.read(3);
      deepStrictEqual(
        [0, 1, 2].map((partition) => reader.subscription.end(partition)),
        [0, 1, 2],
      );
      await log.close();
    },
  },
  {
    name: 'a reader beside writers sees every record once and in order',
    async run({ topic, open }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic, fetchBytes: 2000 });
      const write = async (partition: number): Promise<void> => {
        for (let number = 0; number < 60; number++) {
          await log.commit({ batches: [batchOf(topic, partition, [`${number}`, 'v'.repeat(number)])] });
        }
      };
      const [records] = await Promise.all([reader.read(360), write(0), write(1), write(2)]);
      const expected = Array.from({ length: 60 }, (_, number) => [`${number}`, 'v'.repeat(number)]).flat();
      for (const partition of [0, 1, 2]) deepStrictEqual(valuesOf(records, partition), expected);
      await log.close();
    },
  },
];
