import { deepStrictEqual, equal, ok, throws } from 'node:assert/strict';
import { batchOf, codeOf, LogReader, retried, valuesOf } from '../topic-log-reader.ts';
import type { TopicLogCheck } from './setting.ts';

/** What is committed, and what a rejected commit leaves. */
export const commitChecks: readonly TopicLogCheck[] = [
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
    async run({ topic, open, failWrites, refusals }) {
      const log = await open();
      const reader = await LogReader.open(log, { sink: 'all', topic });
      await log.commit({ batches: [batchOf(topic, 0, ['before'])], positions: [['source', 'file', 1]] });
      await failWrites(true);
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
        ok(refusals.includes(codeOf(result.reason)), codeOf(result.reason));
      }
      await failWrites(false);
      await retried(
        () => log.commit({ batches: [1, 0].map((partition) => batchOf(topic, partition, ['after'])) }),
        refusals,
      );
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
];
