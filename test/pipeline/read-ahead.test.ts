import { fill, numbered } from './support/fill.ts';
import { MemoryLog } from './support/memory-log.ts';
import { accepted, eventually, sinkOf, startTest } from './support/pipeline.ts';

const BATCHES = 100;
const RECORDS = 10;
const VALUE_BYTES = 16 * 1024;

test('reads a few writes ahead of a sink that takes its time, however large the buffers are', async () => {
  const log = new MemoryLog({ topics: { in: 1, dead: 1 } });
  for (let batch = 0; batch < BATCHES; batch++) {
    await fill(
      log,
      0,
      numbered(RECORDS).map((value) => value.padStart(VALUE_BYTES, '0')),
    );
  }
  const gate = Promise.withResolvers<undefined>();
  let writes = 0;
  const sink = sinkOf(async () => {
    writes++;
    await gate.promise;
    return accepted;
  });
  const batch = { maxRecords: 1000, maxBytes: 256 * 1024, maxAgeMs: 0 };
  const { pipeline } = startTest({ log, sinks: [sink], sink: { batch } });
  const read = (): number => pipeline.status().sinks[0]!.read;
  let before = -1;
  await eventually(() => {
    const isStill = writes > 0 && read() === before;
    before = read();
    return isStill;
  });
  gate.resolve(undefined);
  await eventually(() => log.savedOffsets.get('sink0')?.get(0) === BATCHES * RECORDS);
  await pipeline.stop({ deadlineMs: 2000 });
  // Four writes, and what a fetch brings at once.
  expect(before * VALUE_BYTES).toBeLessThan(4 * 256 * 1024 + 1024 * 1024);
});
