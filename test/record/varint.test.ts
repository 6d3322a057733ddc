import fc from 'fast-check';
import {
  putVarint,
  putVarlong,
  readVarint,
  readVarlong,
  skipVarint,
  varintSize,
  varlongSize,
  zigzagLong,
} from '../../src/record/varint.ts';

/** Zigzag and seven bits a byte, by another way. */
function encoded(value: bigint): number[] {
  let rest = value < 0n ? -value * 2n - 1n : value * 2n;
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const borders = [6, 13, 20, 27, 30].flatMap((bits) => [2 ** bits - 1, 2 ** bits]).filter((value) => value < 2 ** 30);

test('lengths and deltas are written and read as Kafka does', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(2 ** 30 - 1), fc.constantFrom(...borders)), (value) => {
      const out = new Uint8Array(8);
      const end = putVarint(out, 1, value << 1);
      expect([...out.subarray(1, end)]).toEqual(encoded(BigInt(value)));
      expect([end, end, value]).toEqual([1 + varintSize(value << 1), skipVarint(out, 1), readVarint(out, 1)]);
    }),
  );
});

test('timestamps of 52 bits are, too, either way', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }), (value) => {
      const out = new Uint8Array(12);
      const end = putVarlong(out, 1, zigzagLong(value));
      expect([...out.subarray(1, end)]).toEqual(encoded(BigInt(value)));
      expect([end, end]).toEqual([1 + varlongSize(zigzagLong(value)), skipVarint(out, 1)]);
      expect(readVarlong(out, 1) + 0).toBe(value);
    }),
  );
});

test('a varint that never ends, or ends behind the bytes, has no end', () => {
  expect(skipVarint(new Uint8Array(20).fill(0xff), 0)).toBe(-1);
  expect(skipVarint(Uint8Array.of(0x80, 0x80), 0)).toBe(-1);
  expect(skipVarint(new Uint8Array(0), 0)).toBe(-1);
  expect(readVarint(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f), 0)).toBe(-2147483648);
});
