import fc from 'fast-check';
import { JsonWriter } from '../../src/codec/index.ts';

/** What was written by `write`, with so much before it that the buffer has to grow now and then. */
function written(write: (json: JsonWriter) => void, before = 0): string {
  const json = new JsonWriter('replace');
  json.room(before);
  json.end = before;
  json.room(16);
  write(json);
  return json.bytes.toString('utf8', before, json.end);
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => text.isWellFormed()),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u0001', '\u007f', 'a', 'é', '語', '😀'), maxLength: 200 }),
  // Mostly harmless, and long enough for vectors.
  fc.string({
    unit: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('a', ' ', '0') },
      { weight: 1, arbitrary: fc.constantFrom('"', '\\', '\n', '\u0001', 'é', '😀') },
    ),
    minLength: 90,
    maxLength: 300,
  }),
);
/** Wherever a text lies, and whatever stands around it. */
const places = fc.record({
  before: fc.uint8Array({ maxLength: 9 }),
  behind: fc.uint8Array({ maxLength: 9 }),
  written: fc.oneof(fc.nat(20), fc.integer({ min: 65_400, max: 65_536 })),
});

test('any text is written as JSON.stringify writes it', () => {
  fc.assert(
    fc.property(texts, places, (text, place) => {
      const bytes = Buffer.from(text);
      const source = Buffer.concat([place.before, bytes, place.behind]);
      const [start, end] = [place.before.length, place.before.length + bytes.length];
      expect(
        written((json) => {
          json.text(source, start, end);
        }, place.written),
      ).toBe(JSON.stringify(text));
    }),
    { numRuns: 3000 },
  );
});

test('what is not UTF-8 is replaced as Node replaces it', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 24 }),
    fc.array(fc.constantFrom(0x22, 0x61, 0x80, 0xbf, 0xc1, 0xc3, 0xe0, 0xed, 0xa0, 0xf0, 0xf4, 0x90, 0xff), {
      maxLength: 200,
    }),
  );
  fc.assert(
    fc.property(bytes, places, (each, place) => {
      const text = Buffer.from(each);
      const source = Buffer.concat([place.before, text, place.behind]);
      const [start, end] = [place.before.length, place.before.length + text.length];
      expect(
        written((json) => {
          json.text(source, start, end);
        }, place.written),
      ).toBe(JSON.stringify(text.toString()));
    }),
    { numRuns: 3000 },
  );
});

const numbers = fc.oneof(
  fc.double(),
  fc.float(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 32 }),
  fc
    .tuple(fc.integer({ min: -3_000_000_000, max: 3_000_000_000 }), fc.nat(6))
    .map(([digits, decimals]) => digits / 10 ** decimals),
  fc.constantFrom(
    0,
    -0,
    0.1,
    0.29,
    1.005,
    0.001,
    0.0001,
    1e21,
    1e-7,
    2_000_000,
    2_000_000.001,
    1_999_999.999,
    NaN,
    Infinity,
    -Infinity,
  ),
);

test('any number is written as JSON.stringify writes it', () => {
  fc.assert(
    fc.property(numbers, (value) => {
      expect(
        written((json) => {
          json.number(value);
        }),
      ).toBe(JSON.stringify(value));
    }),
    { numRuns: 10_000 },
  );
});

test('whole numbers of 32 bits', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(2 ** 32 - 1),
        fc.nat(9).map((power) => 10 ** power),
        fc.nat(9).map((power) => 10 ** power - 1),
      ),
      (value) => {
        expect(
          written((json) => {
            json.digits(value);
          }),
        ).toBe(String(value));
      },
    ),
  );
});
