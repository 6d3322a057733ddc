import fc from 'fast-check';
import {
  BATCH_HEADER_BYTES,
  bufferBytesFor,
  readBatchHeader,
  RecordBatchBuilder,
  sealBatch,
} from '../../src/record/index.ts';
import { varintSize } from '../../src/record/varint.ts';
import { texts, allOf, createBuilder, knownRecord, payloadOf, viewOf, type Known } from './support/records.ts';

/** What the builder holds, through its own accessors. */
function builtOf(builder: RecordBatchBuilder): Known[] {
  return Array.from({ length: builder.count }, (_, index) => ({
    key: copied(builder.keyAt(index)),
    value: copied(builder.valueAt(index)),
    timestamp: builder.timestampAt(index),
    headers: [...builder.headersAt(index)].map(([name, value]) => [name, copied(value)] as const),
  }));
}

const lengthsOf = ([name, value]: Known['headers'][number]): number =>
  varintSize(Buffer.byteLength(name) << 1) + (value === null ? 1 : varintSize(value.length << 1));

const copied = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes));

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), record: knownRecord }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('slice' as const), record: knownRecord }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('copy' as const), at: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('copyAll' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), to: fc.nat(20) }) },
);

test('whatever is appended, copied and rolled back, the sealed batch holds it', () => {
  fc.assert(
    fc.property(fc.array(knownRecord, { maxLength: 4 }), fc.array(step, { maxLength: 25 }), (others, steps) => {
      const builder = createBuilder(2 * 1024 * 1024);
      const other = createBuilder(128 * 1024);
      for (const { value, key, timestamp, headers } of others) other.append(value, key, timestamp, headers);
      let model: Known[] = [];
      for (const one of steps) {
        if (one.kind === 'append') {
          const { value, key, timestamp, headers } = one.record;
          expect(builder.append(value, key, timestamp, headers)).toBe(true);
          model.push(one.record);
        } else if (one.kind === 'slice') {
          const value = one.record.value ?? Buffer.alloc(0);
          const source = Buffer.concat([Buffer.from('<<'), value, Buffer.from('>>')]);
          const { timestamp, headers } = one.record;
          const shared = headers.length === 0 ? undefined : headers;
          for (let time = 0; time < 2; time++) {
            expect(builder.appendSlice(source, 2, 2 + value.length, timestamp, shared)).toBe(true);
            model.push({ value, key: null, timestamp, headers });
          }
        } else if (one.kind === 'copy') {
          if (others.length === 0) continue;
          const index = one.at % others.length;
          expect(builder.appendRecord(other, index)).toBe(true);
          model.push(others[index]!);
        } else if (one.kind === 'copyAll') {
          expect(builder.appendAll(other)).toBe(true);
          model.push(...others);
        } else {
          const mark = Math.min(one.to, model.length);
          builder.rollback(mark);
          model = model.slice(0, mark);
        }
      }
      expect(texts(builtOf(builder))).toEqual(texts(model));
      expect(builder.maxTimestamp).toBe(Math.max(0, ...model.map(({ timestamp }) => timestamp)));
      const sizes = model.reduce((sum, _, index) => sum + builder.sizeAt(index), 0);
      expect(builder.byteLength).toBe(sizes);
      if (model.length === 0) return;
      const batch = sealBatch(builder, { compression: 'none' });
      expect(batch.length).toBe(BATCH_HEADER_BYTES + sizes);
      expect(readBatchHeader(batch, 0)).toMatchObject({
        baseOffset: 0,
        count: model.length,
        lastOffsetDelta: model.length - 1,
        baseTimestamp: model[0]!.timestamp,
        maxTimestamp: builder.maxTimestamp,
        compression: 'none',
      });
      expect(texts(allOf(viewOf(batch)))).toEqual(texts(model));
    }),
    { numRuns: 150 },
  );
});

test('a record alone fits the buffer that it was said to need, and its payload with the lengths of its headers is what counts against the limit', () => {
  fc.assert(
    fc.property(knownRecord, ({ value, key, timestamp, headers }) => {
      const payload = payloadOf({ value, key, timestamp, headers });
      const counted = headers.reduce((sum, header) => sum + lengthsOf(header), payload);
      const builder = createBuilder(bufferBytesFor(payload, headers.length), counted);
      expect(builder.append(value, key, timestamp, headers)).toBe(true);
      expect(builder.payloadAt(0)).toBe(counted);
      if (counted === 0) return;
      expect(() => createBuilder(100_000, counted - 1).append(value, key, timestamp, headers)).toThrow(
        expect.objectContaining({ code: 'RECORD_TOO_LARGE' }) as Error,
      );
    }),
  );
});

test('what does not fit leaves the builder as it was, to the last byte of its buffer', () => {
  for (let room = 1; room < 300; room++) {
    for (const viaSlice of [true, false]) {
      const bytes = Buffer.alloc(BATCH_HEADER_BYTES + room, 0xee);
      const builder = new RecordBatchBuilder(
        { bytes: bytes.subarray(0, -8), release: () => undefined },
        { maxRecordBytes: 1000, now: () => 0 },
      );
      const value = Buffer.from('0123456789');
      while (viaSlice ? builder.appendSlice(value, 0, 10) : builder.append(value));
      const { count, byteLength } = builder;
      expect(byteLength).toBeLessThanOrEqual(Math.max(0, room - 8));
      // A record takes 17 bytes: 7 beside its value.
      expect(count).toBe(Math.max(0, Math.floor((room - 8) / 17)));
      expect(bytes.subarray(-8)).toEqual(Buffer.alloc(8, 0xee));
    }
  }
});

test('appending all of a batch that does not fit appends nothing of it', () => {
  const other = createBuilder(10_000);
  for (let index = 0; index < 20; index++) other.append(Buffer.alloc(100, 'x'));
  const builder = createBuilder(BATCH_HEADER_BYTES + 1000);
  expect(builder.appendAll(other)).toBe(false);
  builder.append(Buffer.from('first'));
  expect(builder.appendAll(other)).toBe(false);
  expect(builder.count).toBe(1);
  expect(allOf(viewOf(sealBatch(builder, { compression: 'none' })))).toHaveLength(1);
});

test('more records than the first array of places has room for', () => {
  const builder = createBuilder(1024 * 1024);
  for (let index = 0; index < 20_000; index++) builder.append(Buffer.from(`${index}`), null, index);
  const view = viewOf(sealBatch(builder, { compression: 'none' }));
  expect(view.count).toBe(20_000);
  expect(view.value(19_999)!.toString()).toBe('19999');
  expect(view.offset(19_999)).toBe(19_999);
});

test.each([-1, NaN, Infinity, 2 ** 52])('the timestamp %d is refused', (timestamp) => {
  const builder = createBuilder(1000);
  expect(() => builder.append(null, null, timestamp)).toThrow(RangeError);
  expect(() => builder.appendSlice(Buffer.from('x'), 0, 1, timestamp)).toThrow(RangeError);
  expect(builder.count).toBe(0);
});

test('fractions of a millisecond are cut, and records without a time get that of the clock', () => {
  const builder = createBuilder(1000);
  builder.append(null, null, 1.9);
  builder.appendSlice(Buffer.from('x'), 0, 1);
  expect([builder.timestampAt(0), builder.timestampAt(1)]).toEqual([1, 42]);
});

test('misuse throws: after the release, outside the records, outside the slice', () => {
  const builder = createBuilder(1000);
  builder.append(Buffer.from('x'));
  expect(() => builder.valueAt(1)).toThrow(RangeError);
  expect(() => builder.valueAt(-1)).toThrow(RangeError);
  expect(() => {
    builder.rollback(2);
  }).toThrow(RangeError);
  expect(() => builder.appendSlice(Buffer.from('x'), 0, 2)).toThrow(RangeError);
  expect(() => sealBatch(createBuilder(1000), { compression: 'none' })).toThrow(RangeError);
  builder.release();
  expect(() => builder.append(null)).toThrow('sealed or released');
  expect(() => builder.appendSlice(Buffer.from('x'), 0, 1)).toThrow('sealed or released');
  expect(() => {
    builder.release();
  }).toThrow('a second time');
});
