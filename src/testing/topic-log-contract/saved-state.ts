import { deepStrictEqual } from 'node:assert/strict';
import type { TopicLog } from '../../log/index.ts';
import { batchOf, LogReader } from '../topic-log-reader.ts';
import type { TopicLogCheck } from './setting.ts';

/** Positions, ids, and where sinks stand. */
export const savedStateChecks: readonly TopicLogCheck[] = [
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
];
