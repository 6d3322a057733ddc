import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkDefinition } from '../../src/api/index.ts';
import { fill, numbered } from './support/fill.ts';
import { MemoryLog } from './support/memory-log.ts';
import { accepted, eventually, sinkOf, startTest } from './support/pipeline.ts';

/** How many writes were out together, and whether the topic was told that the sink hangs on it. */
async function observed(traits: Partial<SinkDefinition>): Promise<{ most: number; keyed: unknown }> {
  const log = new MemoryLog({ topics: { in: 1, dead: 1 } });
  await fill(log, 0, numbered(20));
  const subscribe = jest.spyOn(log, 'subscribe');
  let out = 0;
  let most = 0;
  const sink = sinkOf(
    async () => {
      most = Math.max(most, ++out);
      await sleep(5);
      out--;
      return accepted;
    },
    { order: 'none' },
  );
  const batch = { maxRecords: 1, maxBytes: 1000, maxAgeMs: 0 };
  const { pipeline } = startTest({ log, sinks: [{ ...sink, ...traits }], sink: { batch } });
  await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 20);
  await pipeline.stop({ deadlineMs: 2000 });
  return { most, keyed: subscribe.mock.calls[0]![0].keyed };
}

test('writes of a partition overlap where the order does not matter', async () => {
  expect(await observed({})).toEqual({ most: 4, keyed: false });
});

test('a sink whose options need the order gets it, and one whose options hang on the topic says so', async () => {
  expect(await observed({ needsOrder: () => true })).toEqual({ most: 1, keyed: false });
  expect(await observed({ needsOrder: () => false, tiedToTopic: () => true })).toEqual({ most: 4, keyed: true });
});
