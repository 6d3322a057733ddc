import { deepStrictEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import type { SubscriptionEvent, TopicLog, TopicSubscription } from '../log/index.ts';
import { BufferPool, readBatchHeader } from '../record/index.ts';
import { batchOf, codeOf, LogReader, retried, until, valuesOf } from './topic-log-reader.ts';

/** A topic log of its own for each check, with nothing in it. */
export interface TopicLogSetting {
  /** The one topic of the pipeline, with three partitions. */
  readonly topic: string;
  /** Opens the log of the pipeline; after it was closed, the same log again. */
  readonly open: () => Promise<TopicLog>;
  /** From now on, until the opposite is said, the store refuses what the log writes. */
  readonly failWrites: (isFailing: boolean) => void;
}

export interface TopicLogCheck {
  readonly name: string;
  /** Rejects when the log breaks its promise. */
  run(setting: TopicLogSetting): Promise<void>;
}

/** What every implementation of `TopicLog` holds, sentence by sentence. Run each check with a new setting. */
export const topicLogContract: readonly TopicLogCheck[] = [
  {
    name: 'describes a topic, the same way each time, and no unknown one',
    async run({ topic, open }) {
      const log = await open();
      const { name, incarnation, partitions } = log.describe(topic);
      deepStrictEqual({ name, partitions }, { name: topic, partitions: 3 });
      ok(incarnation.length > 0);
      throws(() => log.describe('unknown-topic'), { code: 'TOPIC_UNKNOWN' });
      equal(log.accepting, true);
      await log.close();
      const again = await open();
      equal(again.describe(topic).incarnation, incarnation);
      await again.close();
    },
  },
  {
    name: 'gives each partition offsets from 0 without gaps and stamps them on the batches',
    async run({ topic, open }) {
      const log = await open();
      await log.commit({ batches: [batchOf(topic, 0, ['a', 'b']), batchOf(topic, 2, ['c'])] });
      await log.commit({ batches: [batchOf(topic, 0, ['d']), batchOf(topic, 0, ['e', 'f'])] });
      const reader = await LogReader.open(log, { sink: 'all', topic });
      const records = await reader.read(6);
      deepStrictEqual(
        records.filter(({ partition }) => partition === 0).map(({ offset, value }) => `${offset}${value}`),
        ['0a', '1b', '2d', '3e', '4f'],
      );
      deepStrictEqual(valuesOf(records, 2), ['c']);
      deepStrictEqual(await reader.subscription.ends(), [5, 0, 1]);
      await log.close();
    },
  },
  {
    name: 'commits take effect in the order of the calls, grouped or not',
    async run({ topic, open }) {
      const log = await open();
      const numbers = Array.from({ length: 300 }, (_, number) => number);
      const settled: number[] = [];
      await Promise.all(
        numbers.map(async (number) => {
          await log.commit({
            batches: [batchOf(topic, number % 3, [`${number}`])],
            positions: [['source', 'file', { number }]],
          });
          settled.push(number);
        }),
      );
      deepStrictEqual(settled, numbers);
      deepStrictEqual([...(await log.positions('source'))], [['file', { number: 299 }]]);
      const reader = await LogReader.open(log, { sink: 'all', topic });
      const records = await reader.read(300);
      for (const partition of [0, 1, 2]) {
        const expected = numbers.filter((number) => number % 3 === partition).map(String);
        deepStrictEqual(valuesOf(records, partition), expected);
      }
      await log.close();
    },
  },
  {
    name: 'what is committed is visible once the commit resolves, and there after a new opening',
    async run({ topic, open }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      await log.commit({
        batches: [batchOf(topic, 0, ['a']), batchOf(topic, 1, ['b'])],
        positions: [['source', 'file', 'here']],
        dedupe: [{ source: 'source', id: 'request', atMs: 17 }],
      });
      deepStrictEqual(await reader.subscription.ends(), [1, 1, 0]);
      deepStrictEqual([...(await log.positions('source'))], [['file', 'here']]);
      deepStrictEqual([...(await log.dedupeIds('source'))], [['request', 17]]);
      deepStrictEqual((await reader.read(2)).map(({ value }) => value).sort(), ['a', 'b']);
      await log.close();
      const again = await open();
      deepStrictEqual([...(await again.positions('source'))], [['file', 'here']]);
      const second = await LogReader.open(again, { sink: 'all', topic });
      deepStrictEqual((await second.read(2)).map(({ value }) => value).sort(), ['a', 'b']);
      await again.close();
    },
  },
  {
    name: 'the buffers of a commit are the caller’s again once it settles',
    async run({ topic, open }) {
      const log = await open();
      const value = 'v'.repeat(5000);
      for (let number = 0; number < 5; number++) {
        const batch = batchOf(topic, 0, [value, `${number}`]);
        await log.commit({ batches: [batch] });
        batch.bytes.fill(0xee);
      }
      const reader = await LogReader.open(log, { sink: 'all', topic });
      const expected = [0, 1, 2, 3, 4].flatMap((number) => [value, `${number}`]);
      deepStrictEqual(valuesOf(await reader.read(10), 0), expected);
      await log.close();
    },
  },
  {
    name: 'a rejected commit leaves nothing: no record, no position, no id; later ones go on',
    async run({ topic, open, failWrites }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      await log.commit({ batches: [batchOf(topic, 0, ['before'])], positions: [['source', 'file', 1]] });
      failWrites(true);
      const refused = await Promise.allSettled(
        [0, 1, 2].map((number) =>
          log.commit({
            batches: [0, 1, 2].map((partition) => batchOf(topic, partition, [`refused ${number}`])),
            positions: [['source', 'file', 'refused']],
            dedupe: [{ source: 'source', id: 'refused', atMs: 1 }],
          }),
        ),
      );
      for (const result of refused) {
        ok(result.status === 'rejected');
        ok(['LOG_IO', 'LOG_FULL'].includes(codeOf(result.reason)), codeOf(result.reason));
      }
      failWrites(false);
      await retried(() => log.commit({ batches: [1, 0].map((partition) => batchOf(topic, partition, ['after'])) }));
      deepStrictEqual([...(await log.positions('source'))], [['file', 1]]);
      deepStrictEqual([...(await log.dedupeIds('source'))], []);
      const records = await reader.read(3);
      deepStrictEqual(valuesOf(records, 0), ['before', 'after']);
      deepStrictEqual(valuesOf(records, 1), ['after']);
      await log.close();
      const again = await open();
      deepStrictEqual([...(await again.positions('source'))], [['file', 1]]);
      const second = await LogReader.open(again, { sink: 'all', topic });
      deepStrictEqual((await second.read(3)).map(({ value }) => value).sort(), ['after', 'after', 'before']);
      await again.close();
    },
  },
  {
    name: 'positions are kept by source and partition, the last one counts, null deletes',
    async run({ open }) {
      const log = await open();
      deepStrictEqual([...(await log.positions('one'))], []);
      await log.commit({
        positions: [
          ['one', 'a', 1],
          ['one', 'b', { at: [1, null, 'x'] }],
          ['two', 'a', 'other'],
          ['one', 'a', 2],
          ['one', 'c', 3],
        ],
      });
      await log.commit({ positions: [['one', 'c', null]] });
      const check = async (opened: TopicLog): Promise<void> => {
        const one = new Map<string, unknown>([
          ['a', 2],
          ['b', { at: [1, null, 'x'] }],
        ]);
        deepStrictEqual(new Map<string, unknown>(await opened.positions('one')), one);
        deepStrictEqual([...(await opened.positions('two'))], [['a', 'other']]);
      };
      await check(log);
      await log.close();
      const again = await open();
      await check(again);
      await again.close();
    },
  },
  {
    name: 'ids are kept by source, with the time of their commit',
    async run({ open }) {
      const log = await open();
      const dedupe = [
        { source: 'one', id: 'a', atMs: 5 },
        { source: 'two', id: 'b', atMs: 6 },
      ];
      await log.commit({ dedupe });
      await log.commit({ dedupe: [{ source: 'one', id: 'c', atMs: 7 }] });
      const one = new Map([
        ['a', 5],
        ['c', 7],
      ]);
      deepStrictEqual(new Map(await log.dedupeIds('one')), one);
      deepStrictEqual([...(await log.dedupeIds('two'))], [['b', 6]]);
      await log.close();
    },
  },
  {
    name: 'a new sink starts where it asks to, and that is saved before it reads',
    async run({ topic, open }) {
      const log = await open();
      await log.commit({ batches: [batchOf(topic, 0, ['a', 'b'])] });
      const earliest = await LogReader.open(log, { sink: 'earliest', topic, start: 'earliest' });
      const latest = await LogReader.open(log, { sink: 'latest', topic, start: 'latest' });
      deepStrictEqual(earliest.committed, [0, 0, 0]);
      deepStrictEqual(latest.committed, [2, 0, 0]);
      await log.commit({ batches: [batchOf(topic, 0, ['c']), batchOf(topic, 1, ['d'])] });
      deepStrictEqual((await latest.read(2)).map(({ value }) => value).sort(), ['c', 'd']);
      await log.close();
      const again = await open();
      const second = await LogReader.open(again, { sink: 'latest', topic, start: 'latest' });
      deepStrictEqual(second.committed, [2, 0, 0]);
      await again.close();
    },
  },
  {
    name: 'saved offsets are where the sink goes on, each sink for itself',
    async run({ topic, open }) {
      const log = await open();
      await log.commit({ batches: [batchOf(topic, 0, ['a', 'b', 'c']), batchOf(topic, 1, ['d', 'e'])] });
      const first = await LogReader.open(log, { sink: 'first', topic });
      await first.read(5);
      await first.subscription.commit([{ partition: 0, next: 2 }]);
      await first.subscription.commit([
        { partition: 1, next: 2 },
        { partition: 0, next: 3 },
      ]);
      await first.subscription.close();
      const next = await LogReader.open(log, { sink: 'first', topic });
      deepStrictEqual(next.committed, [3, 2, 0]);
      const other = await LogReader.open(log, { sink: 'other', topic });
      deepStrictEqual(other.committed, [0, 0, 0]);
      await log.commit({ batches: [batchOf(topic, 1, ['f'])] });
      deepStrictEqual(await next.read(1), [{ partition: 1, offset: 2, value: 'f' }]);
      await log.close();
      const again = await open();
      const second = await LogReader.open(again, { sink: 'first', topic });
      deepStrictEqual(second.committed, [3, 2, 0]);
      deepStrictEqual(second.resets, [0, 0, 0]);
      await again.close();
    },
  },
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
  {
    name: 'close settles what was committed and rejects what waits and what comes with LOG_CLOSED',
    async run({ topic, open }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      const waiting = endOf(reader.subscription);
      const commits = Array.from({ length: 20 }, (_, number) =>
        log.commit({ batches: [batchOf(topic, 0, [`${number}`])] }),
      );
      const saved = reader.subscription.commit([{ partition: 0, next: 0 }]);
      await log.close();
      await Promise.all([...commits, saved]);
      equal(await waiting, 'LOG_CLOSED');
      for (const late of [
        log.commit({ batches: [batchOf(topic, 0, ['late'])] }),
        reader.subscription.commit([{ partition: 0, next: 1 }]),
        log.subscribe({ sink: 'late', topic, start: 'earliest', pool: reader.pool, fetchBytes: 1000 }),
      ]) {
        await rejects(late, { code: 'LOG_CLOSED' });
      }
      const again = await open();
      const second = await LogReader.open(again, { sink: 'all', topic });
      deepStrictEqual((await second.read(20)).length, 20);
      await second.expectNothing();
      await again.close();
    },
  },
  {
    name: 'a closed subscription gives its buffers back and leaves others alone',
    async run({ topic, open }) {
      const log = await open();
      const one = await LogReader.open(log, { sink: 'one', topic });
      const two = await LogReader.open(log, { sink: 'two', topic });
      await log.commit({ batches: [batchOf(topic, 0, ['a'])] });
      await one.read(1);
      await one.subscription.close();
      deepStrictEqual(valuesOf(await two.read(1), 0), ['a']);
      await until(() => one.pool.usedBytes === 0);
      await log.close();
    },
  },
];

/** Reads on until the log ends it; the code of what it then rejects with. */
async function endOf(subscription: TopicSubscription): Promise<string> {
  const forever = new AbortController();
  for (;;) {
    let event: SubscriptionEvent | null;
    try {
      event = await subscription.next(forever.signal);
    } catch (error) {
      return codeOf(error);
    }
    if (event === null) return 'null';
    if (event.type === 'chunk') event.chunk.release();
  }
}
