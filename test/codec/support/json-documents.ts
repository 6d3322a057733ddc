import fc from 'fast-check';

const names = [
  '"status"',
  '"a"',
  '"b"',
  '"list"',
  '"é"',
  '"a b"',
  '"\\u0061"',
  '"st\\u0061tus"',
  '"constructor"',
  '"__proto__"',
  '"toString"',
  '""',
];

const scalars = [
  ...['0', '-0', '7', '503', '499.5', '-1', '1e2', '1E-7', '0.0', '123456789', '12345678901234567890', '1e999'],
  ...['true', 'false', 'null', '""', '"error"', '"503"', '"a\\n\\u00e9\\ud83d"', '"é€😀"', '"a\\"b"'],
  `"${'long '.repeat(20)}"`,
  `"${'\\\\'.repeat(30)}"`,
];

const space = fc.constantFrom('', '', '', '', ' ', '\r\n\t');

/** Texts of JSON that have what decoders differ by: names that come twice, escapes, numbers of any size, white space, prototypes. */
export const jsonDocument: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.constantFrom(...names), valueOf(3), space), { maxLength: 6 })
  .chain((members) => fc.tuple(fc.constant(objectOf(members)), space).map(([text, around]) => around + text + around));

/** Those, and what is next to them: cut off, with a byte that does not belong there, or none of them an object. */
export const anyBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: jsonDocument.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: valueOf(2).map((text) => Buffer.from(text)) },
  {
    weight: 2,
    arbitrary: fc.tuple(jsonDocument, fc.nat(), fc.constantFrom(...Array.from('{}[]",:\\ 0-.e1tn'))).map(damaged),
  },
  { weight: 1, arbitrary: fc.tuple(jsonDocument, fc.nat(), fc.nat({ max: 255 })).map(overwritten) },
);

function valueOf(depth: number): fc.Arbitrary<string> {
  const scalar = fc.constantFrom(...scalars);
  if (depth === 0) return scalar;
  const inner = valueOf(depth - 1);
  return fc.oneof(
    { weight: 5, arbitrary: scalar },
    {
      weight: 2,
      arbitrary: fc.array(fc.tuple(fc.constantFrom(...names), inner, space), { maxLength: 3 }).map(objectOf),
    },
    { weight: 1, arbitrary: fc.array(inner, { maxLength: 3 }).map((values) => `[${values.join(' , ')}]`) },
  );
}

function objectOf(members: readonly (readonly [name: string, value: string, space: string])[]): string {
  return `{${members.map(([name, value, around]) => `${around}${name}${around}:${around}${value}${around}`).join(',')}}`;
}

function damaged([text, seed, insert]: readonly [string, number, string]): Buffer {
  const at = seed % (text.length + 1);
  return Buffer.from(text.slice(0, at) + insert + text.slice(at + (seed % 2)));
}

function overwritten([text, seed, byte]: readonly [string, number, number]): Buffer {
  const bytes = Buffer.from(text);
  bytes[seed % bytes.length] = byte;
  return bytes;
}
