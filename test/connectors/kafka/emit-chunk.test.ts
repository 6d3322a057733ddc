import { ChunkEmitter } from '../../../connectors/kafka/emit-chunk.ts';
import { BufferPool, RecordBatchBuilder, sealBatch, type KafkaChunk } from '../../../src/kafka/index.ts';
import type { Compression } from '../../../src/record/index.ts';
import { createSourceHarness, type SourceHarness } from '../../../src/testing/index.ts';

const ROOM_BYTES = 8 * 1024 * 1024;

/** As a member of a group hands them out: after `release` the bytes are somebody else's. */
function chunkOf(values: readonly string[], compression: Compression = 'none'): KafkaChunk {
  const buffer = new BufferPool({ budgetBytes: ROOM_BYTES, bufferBytes: ROOM_BYTES }).tryAcquire()!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: ROOM_BYTES, now: () => 0 });
  for (const value of values) builder.append(Buffer.from(value));
  const bytes = sealBatch(builder, { compression });
  const partition = { topic: 'in', partition: 0, incarnation: 'AAAAAAAA' };
  return { partition, bytes, from: 0, next: values.length, release: () => bytes.fill(0xee) };
}

/** Everything durable of these chunks, from a source that does nothing else. */
async function emitted(chunks: readonly KafkaChunk[], maxRecordBytes?: number): Promise<SourceHarness> {
  const harness = createSourceHarness({
    ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
    create: () => ({
      run: async (context) => {
        const emitter = new ChunkEmitter(context);
        const emits = [];
        for (const chunk of chunks) emits.push((await emitter.emit(chunk)).durable);
        await Promise.all(emits);
      },
    }),
  });
  await harness.start();
  await harness.ended;
  return harness;
}

test('a record that is larger than its whole compressed chunk gets the room that it needs', async () => {
  const values = ['first', 'x'.repeat(900_000), 'y'.repeat(900_000), 'last'];
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    const chunk = chunkOf(values, compression);
    const harness = await emitted([chunk]);
    expect(harness.values).toEqual(values);
    expect(harness.emits.length).toBeLessThanOrEqual(values.length);
  }
});

test('what is refused is kept until it is durable, with its neighbours and its place', async () => {
  const large = 'z'.repeat(2000);
  const chunks = Array.from({ length: 5 }, (_, number) => chunkOf([`before ${number}`, large, `after ${number}`]));
  const harness = await emitted(chunks, 1000);
  expect(harness.values).toEqual([0, 1, 2, 3, 4].flatMap((number) => [`before ${number}`, `after ${number}`]));
  expect(harness.rejected).toHaveLength(5);
  for (const { value, error, position } of harness.rejected) {
    expect({ text: String(value), code: error.code, position }).toEqual({
      text: large,
      code: 'RECORD_TOO_LARGE',
      position: 'in/0@1',
    });
  }
});

test('a chunk beyond the usual size is copied in portions', async () => {
  const values = Array.from({ length: 6 }, (_, number) => `${number}`.repeat(500_000));
  const harness = await emitted([chunkOf(values)]);
  expect(harness.values).toEqual(values);
  for (const { bytes } of harness.emits) expect(bytes).toBeLessThan(1.2 * 1024 * 1024);
});
