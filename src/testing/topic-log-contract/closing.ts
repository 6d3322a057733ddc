import { deepStrictEqual, equal, rejects } from 'node:assert/strict';
import type { SubscriptionEvent, TopicSubscription } from '../../log/index.ts';
import { batchOf, codeOf, LogReader, until, valuesOf } from '../topic-log-reader.ts';
import type { TopicLogCheck } from './setting.ts';

/** What closing ends, and what it leaves alone. */
export const closingChecks: readonly TopicLogCheck[] = [
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
