import fc from 'fast-check';
import { RecordView, setBaseOffset } from '../../src/record/index.ts';
import { crc32c } from '../../src/record/crc32c.ts';
import { AT } from '../../src/record/layout.ts';
import {
  texts,
  allOf,
  knownOf,
  knownRecord,
  partition,
  payloadOf,
  sealed,
  viewOf,
  type Known,
} from './support/records.ts';

const simple = (value: string, timestamp = 0): Known => ({
  key: null,
  value: Buffer.from(value),
  timestamp,
  headers: [],
});

function batchAt(base: number, records: readonly Known[]): Buffer {
  const batch = sealed(records);
  setBaseOffset(batch, 0, base);
  return batch;
}

/** With attributes changed and the checksum made right again. */
function withAttributes(batch: Buffer, attributes: number): Buffer {
  batch.writeInt16BE(attributes, AT.attributes);
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc);
  return batch;
}

test('records of several batches, from an offset on', () => {
  const batches = fc.array(fc.array(knownRecord, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(batches, fc.nat(30), (lists, from) => {
      let base = 0;
      const chunks = lists.map((records) => {
        const batch = batchAt(base, records);
        base += records.length;
        return batch;
      });
      const view = viewOf();
      const expected = lists.flat().slice(from);
      expect(view.addStored(partition, Buffer.concat(chunks), from)).toBe(expected.length);
      expect(texts(allOf(view))).toEqual(texts(expected));
      for (let index = 0; index < view.count; index++) {
        expect(view.offset(index)).toBe(from + index);
        expect(view.id(index)).toBe(`t+AAAAAAAA+3+${from + index}`);
        expect(view.valueLength(index)).toBe(expected[index]!.value?.length ?? -1);
        const names = new Map(expected[index]!.headers);
        for (const [name, value] of names) expect(view.header(index, name)).toEqual(value);
        expect(view.header(index, 'no such name')).toBeUndefined();
      }
      expect(view.runs.map(({ first, count }) => [first, count])).toEqual(view.count === 0 ? [] : [[0, view.count]]);
    }),
  );
});

test('records taken over from other views in any order are the same, with runs that tell their partitions', () => {
  const lists = fc.array(fc.array(knownRecord, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(lists, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 }), (all, picks) => {
      const views = all.map((records, index) => {
        const view = new RecordView({ decode: (bytes) => bytes });
        view.addStored({ ...partition, partition: index % 3 }, batchAt(10 * index, records), 0);
        return view;
      });
      const taken = viewOf();
      const expected: { id: string; known: Known; partition: number }[] = [];
      for (const [one, other] of picks) {
        const at = one % views.length;
        const index = other % views[at]!.count;
        taken.addFrom(views[at]!, index);
        expected.push({ id: views[at]!.id(index), known: knownOf(views[at]!, index), partition: at % 3 });
      }
      expect(expected.map((_, index) => taken.id(index))).toEqual(expected.map(({ id }) => id));
      expect(texts(allOf(taken))).toEqual(texts(expected.map(({ known }) => known)));
      const whole = viewOf(...expected.map(({ known }) => sealed([known])));
      expect(taken.byteLength).toBe(whole.byteLength);
      const ofRuns = taken.runs.flatMap((run) => Array<number>(run.count).fill(run.partition));
      expect(ofRuns).toEqual(expected.map((one) => one.partition));
      let next = 0;
      for (const [index, run] of taken.runs.entries()) {
        expect(run.first).toBe(next);
        next += run.count;
        expect(run.partition).not.toBe(taken.runs[index + 1]?.partition);
      }
    }),
  );
});

test('counts the bytes of keys and values, and those of headers with their lengths', () => {
  fc.assert(
    fc.property(fc.array(knownRecord, { minLength: 1, maxLength: 5 }), (records) => {
      const payload = records.reduce((sum, record) => sum + payloadOf(record), 0);
      const lengths = records.reduce((sum, { headers }) => sum + 2 * headers.length, 0);
      expect(viewOf(sealed(records)).byteLength).toBe(payload + lengths);
    }),
  );
});

test('a view is used again, and views that point to it notice', () => {
  const source = viewOf(batchAt(0, [simple('old')]));
  const target = viewOf();
  target.addFrom(source, 0);
  source.clear();
  expect([source.count, source.byteLength, source.runs]).toEqual([0, 0, []]);
  expect(() => source.value(0)).toThrow(RangeError);
  source.addStored({ ...partition, partition: 9 }, batchAt(5, [simple('new')]), 0);
  target.addFrom(source, 0);
  expect(target.id(1)).toBe('t+AAAAAAAA+9+5');
  expect(allOf(target).map(({ value }) => value!.toString())).toEqual(['old', 'new']);
});

test('a record taken over between batches of its own finds its bytes', () => {
  const source = viewOf(batchAt(0, [simple('a'), simple('b')]));
  const target = viewOf();
  target.addFrom(source, 0);
  target.addStored(partition, batchAt(7, [simple('own')]), 0);
  target.addFrom(source, 1);
  expect(allOf(target).map(({ value }) => value!.toString())).toEqual(['a', 'own', 'b']);
  expect(target.runs).toHaveLength(1);
});

test('a chunk that turns out bad adds nothing', () => {
  const view = viewOf(batchAt(0, [simple('kept')]));
  const { byteLength } = view;
  const bad = batchAt(2, [simple('bad')]);
  bad[bad.length - 2]! ^= 1;
  expect(() => view.addStored(partition, Buffer.concat([batchAt(1, [simple('good')]), bad]), 0)).toThrow(
    expect.objectContaining({ code: 'RECORD_CORRUPT' }) as Error,
  );
  expect([view.count, view.byteLength, view.runs.length, view.runs[0]!.count]).toEqual([1, byteLength, 1, 1]);
  view.addStored(partition, batchAt(1, [simple('good')]), 0);
  expect(allOf(view).map(({ value }) => value!.toString())).toEqual(['kept', 'good']);
});

test("control batches are passed over, and the broker's time is that of all records", () => {
  expect(viewOf(withAttributes(batchAt(0, [simple('marker')]), 0x20)).count).toBe(0);
  const view = viewOf(withAttributes(batchAt(0, [simple('a', 5), simple('b', 77)]), 0x08));
  expect([view.timestamp(0), view.timestamp(1)]).toEqual([77, 77]);
});

test('values are copied into their target or refused, null as nothing', () => {
  const view = viewOf(sealed([simple('hello'), { ...simple(''), value: null }]));
  const target = Buffer.alloc(8, '.');
  expect(view.copyValue(0, target, 2)).toBe(7);
  expect(view.copyValue(1, target, 7)).toBe(7);
  expect(target.toString()).toBe('..hello.');
  expect(() => view.copyValue(0, target, 4)).toThrow(RangeError);
  expect(() => view.copyValue(0, target, -1)).toThrow(RangeError);
});

test('a record as an object: decoded once, wherever it is taken to; the same error every time', () => {
  let decoded = 0;
  const decode = (bytes: Uint8Array): unknown => {
    decoded++;
    return JSON.parse(Buffer.from(bytes).toString()) as unknown;
  };
  const view = new RecordView({ decode });
  const headers = [
    ['a', Buffer.from('1')],
    ['__proto__', Buffer.from('2')],
    ['a', null],
  ] as const;
  view.addStored(
    partition,
    batchAt(4, [{ key: Buffer.from('ké'), value: Buffer.from('{"x":1}'), timestamp: 8, headers }, simple('{')]),
    0,
  );
  const record = view.record(0);
  expect(decoded).toBe(0);
  expect([record.value, record.value, view.record(0).value]).toEqual([{ x: 1 }, { x: 1 }, { x: 1 }]);
  const other = new RecordView({ decode });
  other.addFrom(view, 0);
  expect(other.record(0)).toBe(record);
  expect(decoded).toBe(1);
  expect([record.key, record.timestamp, record.topic, record.partition, record.offset]).toEqual(['ké', 8, 't', 3, 4]);
  expect(Object.entries(record.headers)).toEqual([
    ['a', null],
    ['__proto__', '2'],
  ]);
  expect(() => view.record(1).value).toThrow(SyntaxError);
  expect(() => view.record(1).value).toThrow(SyntaxError);
  expect(decoded).toBe(2);
});

test.each([-1, 1, NaN, 0.5])('index %d of one record is refused', (index) => {
  const view = viewOf(sealed([simple('x')]));
  expect(() => view.value(index)).toThrow(RangeError);
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'what a batch was inflated into by %s is counted, and the memory of the next one once the view is cleared',
  (codec) => {
    const [first, second] = [viewOf(), viewOf()];
    first.addStored(partition, sealed([simple('a'.repeat(100_000))], codec), 0);
    second.addStored(partition, sealed([simple('b'.repeat(100_000))], codec), 0);
    const { buffer } = first.value(0)!;
    expect(second.value(0)!.buffer).not.toBe(buffer);
    expect(first.inflatedBytes).toBeGreaterThan(100_000);
    first.clear();
    expect(first.inflatedBytes).toBe(0);
    first.addStored(partition, sealed([simple('c'.repeat(90_000))], codec), 0);
    expect(first.value(0)!.buffer).toBe(buffer);
    expect(Buffer.from(first.value(0)!).equals(Buffer.alloc(90_000, 'c'))).toBe(true);
    expect(Buffer.from(second.value(0)!).equals(Buffer.alloc(100_000, 'b'))).toBe(true);
    first.clear();
    second.clear();
  },
);

test('a batch that is not compressed stays in its chunk, which is somebody else’s', () => {
  const chunk = sealed([simple('a'.repeat(100_000))]);
  const view = viewOf();
  view.addStored(partition, chunk, 0);
  expect(view.inflatedBytes).toBe(0);
  view.clear();
  expect(chunk.length).toBeGreaterThan(100_000);
});
