import fc from 'fast-check';
import { RecordView, readBatchHeader, setBaseOffset, type Compression } from '../../src/record/index.ts';
import { crc32c } from '../../src/record/crc32c.ts';
import { AT } from '../../src/record/layout.ts';
import { allOf, knownRecord, partition, sealed, texts, viewOf, type Known } from './support/records.ts';

const simple = (value: string): Known => ({ key: null, value: Buffer.from(value), timestamp: 7, headers: [] });

function chunkOf(lists: readonly (readonly Known[])[], compression: Compression = 'none'): Buffer {
  let base = 0;
  const batches = lists.map((records) => {
    const batch = sealed(records, compression);
    setBaseOffset(batch, 0, base);
    base += records.length;
    return batch;
  });
  return Buffer.concat(batches);
}

function changed(chunk: Buffer, change: (batch: Buffer) => void): Buffer {
  change(chunk);
  chunk.writeUInt32BE(crc32c(chunk.subarray(AT.attributes)), AT.crc);
  return chunk;
}

function sealedView(chunk: Buffer, from = 0): RecordView {
  const view = new RecordView({ decode: (bytes) => bytes });
  view.addSealed(partition, chunk, from);
  return view;
}

test('stored batches are handed on as they are, and read like any other once somebody looks', () => {
  const lists = fc.array(fc.array(knownRecord, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });
  const compressions = fc.constantFrom<Compression>('none', 'gzip', 'zstd');
  fc.assert(
    fc.property(lists, compressions, (records, compression) => {
      const chunk = chunkOf(records, compression);
      const expected = texts(records.flat());
      const view = sealedView(chunk);
      expect(view.count).toBe(expected.length);
      expect(view.runs).toMatchObject([{ ...partition, first: 0, count: expected.length }]);
      const batches = view.sealed!;
      expect(batches.map(({ first, count }) => [first, count])).toEqual(
        records.map((list, index) => [records.slice(0, index).flat().length, list.length]),
      );
      expect(Buffer.concat(batches.map(({ bytes }) => bytes)).equals(chunk)).toBe(true);
      // As a producer does that writes them to another topic.
      for (const { bytes } of batches) setBaseOffset(bytes, 0, 0);
      for (let index = 0; index < view.count; index++) expect(view.offset(index)).toBe(index);
      expect(view.sealed).not.toBeNull();
      expect(texts(allOf(view))).toEqual(expected);
      expect(view.sealed).toBeNull();
      for (let index = 0; index < view.count; index++) expect(view.offset(index)).toBe(index);
    }),
  );
});

test('batches that may not pass are opened at once', () => {
  const records = ['a', 'b', 'c'].map(simple);
  const isOpened = (chunk: Buffer, from = 0): boolean => sealedView(chunk, from).sealed === null;
  expect(isOpened(chunkOf([records]))).toBe(false);
  expect(isOpened(chunkOf([records]), 1)).toBe(true);
  const append = changed(chunkOf([records]), (batch) => batch.writeInt16BE(0x08, AT.attributes));
  expect(isOpened(append)).toBe(true);
  const control = changed(chunkOf([records]), (batch) => batch.writeInt16BE(0x20, AT.attributes));
  expect(isOpened(control)).toBe(true);
  const compacted = changed(chunkOf([records]), (batch) => batch.writeInt32BE(9, AT.lastOffsetDelta));
  expect(readBatchHeader(compacted, 0).lastOffsetDelta).toBe(9);
  expect(isOpened(compacted)).toBe(true);
});

test('damage is found without opening, and an index outside is refused', () => {
  const chunk = chunkOf([['a', 'b'].map(simple)], 'gzip');
  chunk[chunk.length - 1]! ^= 1;
  expect(() => sealedView(chunk)).toThrow('its checksum is wrong');
  const view = sealedView(chunkOf([['a', 'b'].map(simple)]));
  expect(() => view.offset(2)).toThrow(RangeError);
  expect(() => view.value(2)).toThrow(RangeError);
  expect(view.sealed).not.toBeNull();
  view.clear();
  expect(view.count).toBe(0);
  expect(view.sealed).toBeNull();
});

test('another view takes over records one by one', () => {
  const chunk = chunkOf([['a', 'b'].map(simple), ['c'].map(simple)], 'gzip');
  const view = sealedView(chunk);
  const part = viewOf();
  part.addFrom(view, 2);
  part.addFrom(view, 0);
  expect(allOf(part).map(({ value }) => value!.toString())).toEqual(['c', 'a']);
  expect(part.sealed).toBeNull();
});

test('the time of a batch is known without opening it', () => {
  const view = sealedView(
    chunkOf([
      [
        { ...simple('a'), timestamp: 5 },
        { ...simple('b'), timestamp: 8 },
      ],
      [simple('c')],
    ]),
  );
  expect([0, 1, 2].map((index) => view.baseTimestamp(index))).toEqual([5, 5, 7]);
  expect(view.sealed).not.toBeNull();
  expect(view.timestamp(1)).toBe(8);
  expect([0, 1, 2].map((index) => view.baseTimestamp(index))).toEqual([5, 8, 7]);
});
