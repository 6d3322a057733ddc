import fc from 'fast-check';
import { Writer } from 'protobufjs';
import { SluiceError } from '../../src/api/index.ts';
import { ProtobufCursor } from '../../src/codec/index.ts';

type Field =
  | { readonly wire: 'varint'; readonly value: bigint }
  | { readonly wire: 'fixed64'; readonly value: bigint }
  | { readonly wire: 'fixed32'; readonly value: number }
  | { readonly wire: 'bytes'; readonly value: Uint8Array };

const anyField: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ wire: fc.constant('varint' as const), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
  fc.record({ wire: fc.constant('fixed64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ wire: fc.constant('fixed32' as const), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
  fc.record({ wire: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 200 }) }),
);
const anyId = fc.integer({ min: 1, max: 2 ** 29 - 1 });

function write(fields: readonly (readonly [id: number, field: Field])[]): Buffer {
  const writer = new Writer();
  for (const [id, { wire, value }] of fields) {
    if (wire === 'varint') writer.uint32((id << 3) >>> 0).int64(String(value));
    else if (wire === 'fixed64') writer.uint32(((id << 3) | 1) >>> 0).fixed64(String(value));
    else if (wire === 'bytes') writer.uint32(((id << 3) | 2) >>> 0).bytes(value);
    else writer.uint32(((id << 3) | 5) >>> 0).fixed32(value);
  }
  return Buffer.from(writer.finish());
}

function valueOf(cursor: ProtobufCursor): bigint | number | Buffer {
  switch (cursor.wire) {
    case 'varint':
      return cursor.int64();
    case 'fixed64':
      return cursor.fixed64();
    case 'fixed32':
      return cursor.fixed32();
    case 'bytes':
      return cursor.bytes.subarray(cursor.from, cursor.to);
  }
}

function readAll(bytes: Buffer): void {
  const cursor = new ProtobufCursor();
  cursor.open(bytes, 0, bytes.length);
  while (cursor.next());
}

test('reads what protobufjs writes, and no byte beside the message', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyId, anyField), { maxLength: 10 }), (fields) => {
      const message = write(fields);
      const cursor = new ProtobufCursor();
      cursor.open(Buffer.concat([Buffer.from([0xff]), message, Buffer.from([0xff])]), 1, 1 + message.length);
      for (const [id, { wire, value }] of fields) {
        expect(cursor.next()).toBe(true);
        expect([cursor.field, cursor.wire]).toEqual([id, wire]);
        const read = valueOf(cursor);
        expect(Buffer.isBuffer(read) ? new Uint8Array(read) : read).toEqual(value);
      }
      expect(cursor.next()).toBe(false);
    }),
  );
});

test('any bytes are fields or are refused, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        readAll(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(SluiceError);
        expect((error as SluiceError).code).toBe('DECODE_INVALID');
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['a tag that is cut off', '80', 'cut off'],
  ['a length that is cut off', '0a 80', 'cut off'],
  ['bytes that are cut off', '0a 05 01', '5 bytes announced, 1 left'],
  ['a length of 4 GiB', '0a ffffffff0f', 'announced'],
  ['a length beyond 32 bits', '0a ffffffff7f', 'larger than 32 bits'],
  ['a length that never ends', '0a 80808080808080808080', 'than'],
  ['a number of 65 bits', '08 ffffffffffffffffff02', 'more than 64 bits'],
  ['a number that never ends', '08 8080808080808080808080', 'more than 64 bits'],
  ['a fixed64 that is cut off', '09 01020304050607', 'cut off'],
  ['a fixed32 that is cut off', '0d 010203', 'cut off'],
  ['field 0', '00 00', 'number 0'],
  ['a group', '0b 0c', 'wire type 3'],
  ['wire type 7', '0f', 'wire type 7'],
])('%s is refused', (_name, hex, reason) => {
  expect(() => {
    readAll(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  }).toThrow(reason);
});

test('another wire type than the schema has is refused', () => {
  const cursor = new ProtobufCursor();
  cursor.open(Buffer.from('0801', 'hex'), 0, 2);
  cursor.next();
  expect(() => cursor.fixed64()).toThrow('field 1 is varint, not fixed64');
  expect(cursor.isTrue()).toBe(true);
  expect(cursor.uint32()).toBe(1);
});
