import { encode, ExtData } from '@msgpack/msgpack';
import fc from 'fast-check';
import { SluiceError } from '../../src/api/index.ts';
import {
  defaultCodecLimits,
  MsgpackCursor,
  MsgpackJson,
  MsgpackScanner,
  type InvalidText,
} from '../../src/codec/index.ts';
import { sharedVectors } from '../../src/codec/vectors.ts';

const limits = { maxDepth: 64, maxBytes: 1 << 20 };
const bytesOf = (value: unknown): Buffer => Buffer.from(encode(value, { useBigInt64: true, maxDepth: 2000 }));
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** By vectors, and without them. */
const writersOf = (invalidText: InvalidText): [MsgpackJson, MsgpackJson] => [
  new MsgpackJson({ limits: defaultCodecLimits, invalidText }, sharedVectors()),
  new MsgpackJson({ limits: defaultCodecLimits, invalidText }, null),
];

function jsonOf(bytes: Buffer, invalidText: InvalidText = 'replace'): string {
  const [text, other] = writersOf(invalidText).map((json) => {
    json.open(bytes, bytes.length);
    json.write(0);
    expect(json.at).toBe(bytes.length);
    return json.bytes.toString('utf8', 0, json.end);
  });
  expect(other).toBe(text);
  return text!;
}

/** What any decoder gives for it, written as JSON. */
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;

test('any JSON value comes out as it went in', () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(JSON.parse(jsonOf(bytesOf(value)))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['the largest unsigned integer', 'cf ffffffffffffffff', '18446744073709551615'],
  ['the smallest integer', 'd3 8000000000000000', '-9223372036854775808'],
  [
    'integers of every size',
    '98 7f e0 cc80 cd8000 ce80000000 d080 d18000 d280000000',
    '[127,-32,128,32768,2147483648,-128,-32768,-2147483648]',
  ],
  ['NaN and infinity', '93 ca7fc00000 cb7ff0000000000000 cbfff0000000000000', '[null,null,null]'],
  ['a 32-bit float', 'ca 3fc00000', '1.5'],
  ['an EventTime', 'd7 00 6553f100 075bcd15', '1700000000.123456789'],
  ['another extension', 'c7 03 05 010203', '{"ext":5,"data":"AQID"}'],
  [
    'fixed extensions',
    '92 d4 7f 01 d8 80 000102030405060708090a0b0c0d0e0f',
    '[{"ext":127,"data":"AQ=="},{"ext":-128,"data":"AAECAwQFBgcICQoLDA0ODw=="}]',
  ],
  ['binary that is text', 'c4 02 6869', '"hi"'],
  [
    'names that are no text',
    '84 01 c0 c0 c2 c3 c3 cb3ff8000000000000 01',
    '{"1":null,"null":false,"true":true,"1.5":1}',
  ],
  ['the characters that JSON escapes', 'a6 00 0a 22 5c 1f 7f', '"\\u0000\\n\\"\\\\\\u001f\x7f"'],
])('%s', (_what, bytes, json) => {
  expect(jsonOf(hex(bytes))).toBe(json);
});

test('text that is not UTF-8 is replaced byte by byte or kept in base64', () => {
  const cut = Buffer.concat([hex('a7'), Buffer.from('ok'), hex('ff e2 82 41 80')]);
  expect(jsonOf(cut)).toBe('"ok\ufffd\ufffdA\ufffd"');
  expect(jsonOf(cut, 'base64')).toBe(`"${cut.subarray(1).toString('base64')}"`);
  expect(jsonOf(hex('a3 eda080'))).toBe('"\ufffd\ufffd\ufffd"');
});

test.each([
  ['cut off', '92 01', 'DECODE_INVALID'],
  ['a length that nobody filled', 'dd ffffffff', 'DECODE_INVALID'],
  ['text that is longer than the bytes', 'db ffffffff 61', 'DECODE_INVALID'],
  ['the byte that begins nothing', 'c1', 'DECODE_INVALID'],
  ['a map as a name', '81 80 01', 'DECODE_INVALID'],
  ['too deep', '91'.repeat(65) + '01', 'DECODE_DEPTH'],
])('%s is refused, and nothing of it is left', (_what, bytes, code) => {
  for (const json of writersOf('replace')) {
    json.ascii('[');
    json.open(hex(bytes), hex(bytes).length);
    expect(() => {
      json.write(0);
    }).toThrow(expect.objectContaining({ code }) as Error);
    expect(json.bytes.toString('utf8', 0, json.end)).toBe('[');
  }
});

test('more names than the limit are refused', () => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_each, index) => [`n${index}`, index]));
  expect(() => jsonOf(bytesOf(many))).toThrow(expect.objectContaining({ code: 'DECODE_KEYS' }) as Error);
});

test('a scanner finds the same end wherever the bytes are cut, and the cursor agrees', () => {
  const withExtensions = fc.oneof(
    values,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => [new ExtData(3, bytes), bytes]),
  );
  fc.assert(
    fc.property(withExtensions, fc.array(fc.nat(40), { maxLength: 20 }), (value, steps) => {
      const one = bytesOf(value);
      const bytes = Buffer.concat([hex('c0'), one, hex('93')]);
      const scanner = new MsgpackScanner(limits);
      scanner.begin(1);
      let found = -1;
      for (let end = 1, step = 0; found < 0 && end < bytes.length; step++) {
        end = Math.min(bytes.length, end + (steps[step] ?? bytes.length));
        found = scanner.advance(bytes, end);
        if (found < 0) expect(end).toBeLessThan(1 + one.length);
      }
      expect(found).toBe(1 + one.length);
      const cursor = new MsgpackCursor();
      cursor.open(bytes, 1, bytes.length);
      cursor.skip();
      expect(cursor.at).toBe(found);
    }),
    { numRuns: 500 },
  );
});

test('a scanner refuses what would be too large before it is here, and what is too deep', () => {
  const scan = (bytes: Buffer): (() => number) => {
    const scanner = new MsgpackScanner({ maxDepth: 10, maxBytes: 1000 });
    scanner.begin(0);
    return () => scanner.advance(bytes, bytes.length);
  };
  for (const head of ['db 00001000', 'dd 7fffffff', 'df ffffffff', 'c6 ffffffff', 'c9 ffffffff'])
    expect(scan(hex(head))).toThrow(expect.objectContaining({ code: 'RECORD_TOO_LARGE' }) as Error);
  expect(scan(hex('91'.repeat(11)))).toThrow(expect.objectContaining({ code: 'DECODE_DEPTH' }) as Error);
  expect(scan(hex('93 01 c1'))).toThrow(expect.objectContaining({ code: 'DECODE_INVALID' }) as Error);
});

test('bytes of anything are read or refused, never beyond their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (random) => {
      const bytes = Buffer.from(random);
      const scanner = new MsgpackScanner(limits);
      scanner.begin(0);
      const attempt = <Result>(work: () => Result): Result | SluiceError => {
        try {
          return work();
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
          return error;
        }
      };
      const end = attempt(() => scanner.advance(bytes, bytes.length));
      const texts = writersOf('replace').map((json) => {
        json.open(bytes, bytes.length);
        const written = attempt(() => {
          json.write(0);
          return json.at;
        });
        const text = json.bytes.toString('utf8', 0, json.end);
        if (typeof written === 'number') {
          expect(end).toBe(written);
          expect(() => JSON.parse(text) as unknown).not.toThrow();
        } else expect(json.end).toBe(0);
        if (end === -1) expect(written).toBeInstanceOf(SluiceError);
        return text;
      });
      expect(texts[0]).toBe(texts[1]);
    }),
    { numRuns: 5000 },
  );
});
