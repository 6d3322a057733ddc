import type { SinkDefinition } from '../../src/api/index.ts';
import { setBaseOffset } from '../../src/record/index.ts';
import { fill, numbered } from './support/fill.ts';
import { MemoryLog } from './support/memory-log.ts';
import { accepted, eventually, sinkOf, startTest, values } from './support/pipeline.ts';

const BATCHES = 10;
const RECORDS = 3;
/** Together with the buffers below: one batch a fetch. */
const VALUE_BYTES = 4096;
const BUFFER_BYTES = 256 * 1024;

async function filled(): Promise<MemoryLog> {
  const log = new MemoryLog({ topics: { in: 1, dead: 1 } });
  for (let batch = 0; batch < BATCHES; batch++) {
    const values = numbered(RECORDS, batch * RECORDS).map((value) => value.padStart(VALUE_BYTES, '0'));
    await fill(log, 0, values);
  }
  return log;
}

const delivered = (log: MemoryLog): Promise<void> =>
  eventually(() => log.savedOffsets.get('sink0')?.get(0) === BATCHES * RECORDS);

const sealed = (sink: SinkDefinition): SinkDefinition => ({ ...sink, sealed: true });

test('whoever asks how far a sink is behind leaves the batches that it is writing as they are', async () => {
  const log = await filled();
  const behind: number[] = [];
  const bases: number[] = [];
  const sink = sinkOf((batch) => {
    // As a producer does.
    const bytes = Buffer.from(batch.sealed![0]!.bytes.buffer, batch.sealed![0]!.bytes.byteOffset, 8);
    setBaseOffset(bytes, 0, 0);
    behind.push(pipeline.status().sinks[0]!.behindMs);
    bases.push(Number(bytes.readBigInt64BE(0)));
    expect(batch.sealed).not.toBeNull();
    return accepted;
  });
  const { pipeline } = startTest({ log, sinks: [sealed(sink)] });
  await delivered(log);
  await pipeline.stop({ deadlineMs: 2000 });
  expect(Math.min(...behind)).toBeGreaterThan(0);
  expect(Math.max(...bases)).toBe(0);
});

test('what has to be opened is written by itself, and the batches behind it pass as they are', async () => {
  const log = await filled();
  log.savedOffsets.set('sink0', new Map([[0, 1]]));
  const opened: number[] = [];
  let passed = 0;
  const sink = sinkOf((batch) => {
    if (batch.sealed === null) opened.push(...values(batch).map(Number));
    else passed += batch.count;
    return accepted;
  });
  // So long that several fetches wait together.
  const batch = { maxRecords: 1000, maxBytes: 1_000_000, maxAgeMs: 500 };
  const { pipeline } = startTest({ log, sinks: [sealed(sink)], sink: { batch }, bufferBytes: BUFFER_BYTES });
  await delivered(log);
  await pipeline.stop({ deadlineMs: 2000 });
  expect(opened).toEqual([1, 2]);
  expect(passed).toBe((BATCHES - 1) * RECORDS);
});
