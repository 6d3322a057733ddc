import fc from 'fast-check';
import { SluiceError } from '../../src/api/index.ts';
import { COMPRESSIONS } from '../../src/record/compression.ts';
import { BATCH_HEADER_BYTES, readBatchHeader, verifyBatch } from '../../src/record/index.ts';
import { AT } from '../../src/record/layout.ts';
import { texts, allOf, knownRecord, sealed, viewOf, withRecords, type Known } from './support/records.ts';

const records: readonly Known[] = [
  {
    key: Buffer.from('key'),
    value: Buffer.from('the first value'),
    timestamp: 1000,
    headers: [['h', Buffer.from('x')]],
  },
  { key: null, value: null, timestamp: 900, headers: [] },
  { key: null, value: Buffer.alloc(100, 'text '), timestamp: 2000, headers: [['h', null]] },
];

function refusalOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return error.code;
  }
}

/** Not covered by the checksum: base offset and leader epoch, which brokers rewrite. */
const isFree = (at: number): boolean => at < AT.batchLength || (at >= AT.partitionLeaderEpoch && at < AT.magic);

test.each(COMPRESSIONS)(
  'each flipped bit of a batch by %s is found, but for the fields that brokers rewrite',
  (codec) => {
    const batch = sealed(records, codec);
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const at = bit >>> 3;
      const flipped = Buffer.from(batch);
      flipped[at]! ^= 1 << (bit & 7);
      const code = refusalOf(() => viewOf(flipped));
      if (!isFree(at)) {
        if (!/^RECORD_(CORRUPT|UNSUPPORTED)$/.test(code ?? '') || verifyBatch(flipped, 0))
          throw new Error(`bit ${bit}: ${code}`);
      } else if (code === null) expect(texts(allOf(viewOf(flipped)))).toEqual(texts(records));
    }
  },
);

test.each(COMPRESSIONS)('each truncation of a batch by %s is found', (codec) => {
  const batch = sealed(records, codec);
  for (let length = 1; length < batch.length; length++) {
    expect(refusalOf(() => viewOf(batch.subarray(0, length)))).toBe('RECORD_CORRUPT');
    expect(verifyBatch(batch.subarray(0, length), 0)).toBe(false);
  }
});

/** The records behind the header are hostile, header and checksum right: nothing may be read outside of them. */
function expectContained(forged: Buffer): void {
  const code = refusalOf(() => {
    const view = viewOf(forged);
    for (let index = 0; index < view.count; index++) {
      const inHeaders = [...view.headers(index)].map(([, value]) => value);
      view.header(index, 'h');
      for (const piece of [view.key(index), view.value(index), ...inHeaders]) {
        if (piece === null || isInside(piece, forged)) continue;
        throw new Error(`bytes ${piece.byteOffset} to ${piece.byteOffset + piece.length} are not the batch's`);
      }
    }
  });
  if (code !== null && code !== 'RECORD_UNSUPPORTED') expect(code).toBe('RECORD_CORRUPT');
}

/** Inflated records lie elsewhere, in a buffer of their own. */
function isInside(piece: Uint8Array, batch: Buffer): boolean {
  if (piece.buffer !== batch.buffer) return true;
  const at = piece.byteOffset - batch.byteOffset;
  return at >= BATCH_HEADER_BYTES && at + piece.length <= batch.length;
}

test('each flipped bit of the records under a right checksum stays inside the batch', () => {
  const batch = sealed(records);
  for (let bit = BATCH_HEADER_BYTES * 8; bit < batch.length * 8; bit++) {
    const flipped = Buffer.from(batch);
    flipped[bit >>> 3]! ^= 1 << (bit & 7);
    expectContained(withRecords(flipped, flipped.subarray(BATCH_HEADER_BYTES)));
  }
});

const wrongVarint = fc.constantFrom(
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xfe, 0xff, 0xff, 0xff, 0x0f],
  Array<number>(12).fill(0xff),
  [0x01],
  [0x80, 0x80],
);
const splice = fc.record({
  at: fc.nat(),
  remove: fc.nat(6),
  insert: fc.oneof(wrongVarint, fc.array(fc.nat(255), { maxLength: 4 })),
});

test('spliced and random records under a right checksum stay inside the batch', () => {
  fc.assert(
    fc.property(fc.array(knownRecord, { minLength: 1, maxLength: 4 }), splice, (known, { at, remove, insert }) => {
      const batch = sealed(known);
      const body = [...batch.subarray(BATCH_HEADER_BYTES)];
      body.splice(at % body.length, remove, ...insert);
      expectContained(withRecords(batch, Uint8Array.from(body)));
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (body, codec) => {
      const batch = sealed(records);
      expectContained(withRecords(batch, body));
      expectContained(withRecords(batch, body, codec));
    }),
    { numRuns: 300 },
  );
});

test.each(COMPRESSIONS.slice(1))('damaged input of %s under a right checksum is refused or read, in time', (codec) => {
  const batch = sealed(records, codec);
  const body = batch.subarray(BATCH_HEADER_BYTES);
  for (let bit = 0; bit < body.length * 8; bit++) {
    const flipped = Buffer.from(body);
    flipped[bit >>> 3]! ^= 1 << (bit & 7);
    const code = refusalOf(() => viewOf(withRecords(batch, flipped)));
    expect([null, 'RECORD_CORRUPT', 'RECORD_UNSUPPORTED']).toContain(code);
  }
});

test.each([
  ['a count beyond what its bytes can hold', AT.count, 0x7fffffff],
  ['a negative count', AT.count, -1],
  ['a count above its offsets', AT.count, 4],
  ['a count below its records', AT.count, 2],
  ['negative offset deltas', AT.lastOffsetDelta, -1],
  ['offset deltas below its records', AT.lastOffsetDelta, 1],
])('a header with %s is refused', (_, at, value) => {
  const batch = sealed(records);
  batch.writeInt32BE(value, at);
  if (at === AT.count && value === 0x7fffffff) batch.writeInt32BE(value - 1, AT.lastOffsetDelta);
  const forged = withRecords(batch, batch.subarray(BATCH_HEADER_BYTES));
  expect(refusalOf(() => viewOf(forged))).toBe('RECORD_CORRUPT');
});

test('older formats and unknown compressions are unsupported, not corrupt', () => {
  const old = sealed(records);
  old.writeInt8(1, AT.magic);
  expect(refusalOf(() => readBatchHeader(old, 0))).toBe('RECORD_UNSUPPORTED');
  const batch = sealed(records);
  for (const code of [5, 6, 7]) {
    expect(refusalOf(() => viewOf(withRecords(batch, batch.subarray(BATCH_HEADER_BYTES), code)))).toBe(
      'RECORD_UNSUPPORTED',
    );
  }
  expect(refusalOf(() => readBatchHeader(batch, -1))).toBe('RECORD_CORRUPT');
  expect(verifyBatch(batch, -1)).toBe(false);
});
