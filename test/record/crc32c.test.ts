import fc from 'fast-check';
import { createTableCrc32c, crc32c, loadNativeCrc32c, type Crc32c } from '../../src/record/crc32c.ts';

const tables = createTableCrc32c();
const upwards = Uint8Array.from({ length: 32 }, (_, index) => index);

/** RFC 3720, appendix B.4, and the check value of the polynomial's catalogue. */
const vectors: readonly (readonly [name: string, bytes: Uint8Array, crc: number])[] = [
  ['nothing', new Uint8Array(0), 0],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', upwards, 0x46dd794e],
  ['31 to 0', upwards.toReversed(), 0x113fdb5c],
];

test.each(vectors)('the checksum of %s', (_, bytes, crc) => {
  expect(tables(bytes)).toBe(crc);
  expect(crc32c(bytes)).toBe(crc);
});

const native = loadNativeCrc32c();
const implementations: Crc32c[] = native === null ? [tables] : [tables, native];

test('without the addon the results are the same, in pieces too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      for (const checksum of implementations) {
        expect(checksum(bytes)).toBe(tables(bytes));
        expect(checksum(bytes.subarray(cut), checksum(bytes.subarray(0, cut)))).toBe(tables(bytes));
      }
    }),
  );
});
