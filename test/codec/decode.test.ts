import fc from 'fast-check';
import { decoderFor } from '../../src/codec/index.ts';

const decode = decoderFor('json');
const decodeText = (text: string): unknown => decode(Buffer.from(text));

test('JSON is what JSON.parse makes of it, for any value', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom('', ' ', '\r\n\t'), (text, space) => {
      expect(decodeText(space + text + space)).toEqual(JSON.parse(text));
    }),
  );
});

test('damaged JSON is refused wherever JSON.parse refuses it, and nowhere else', () => {
  const damaged = fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...Array.from('{}[]",:\\ \n\u0000u0-+.eE1tn')));
  fc.assert(
    fc.property(damaged, ([text, seed, insert]) => {
      const at = seed % (text.length + 1);
      const broken = text.slice(0, at) + insert + text.slice(at + (seed % 2));
      expect(outcome(() => decodeText(broken))).toEqual(outcome(() => JSON.parse(broken)));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['', 'decoding JSON: expected a value, found the end at byte 0'],
  ['{"a":}', 'decoding JSON: expected a value, found "}" at byte 5'],
  ['[1 2]', 'decoding JSON: expected a comma or the end of its list, found "2" at byte 3'],
  ['{"a" 1}', 'decoding JSON: expected a colon, found "1" at byte 5'],
  ['{a:1}', 'decoding JSON: expected a name in double quotes, found "a" at byte 1'],
  ['"\n"', 'decoding JSON: expected an escape instead of a control character, found byte 0x0a at byte 1'],
  ['"abc', 'decoding JSON: expected the closing quote of a string, found the end at byte 4'],
  ['1 2', 'decoding JSON: expected nothing behind the value at byte 2'],
  ['trux', 'decoding JSON: expected the rest of true, found "x" at byte 3'],
])('%j is refused with its place', (text, message) => {
  expect(refusal(() => decodeText(text))).toEqual({ code: 'DECODE_INVALID', message });
});

test.each([
  ['a', [0xc3]],
  ['ä€', [0xff]],
  ['x'.repeat(1000), [0xed, 0xa0, 0x80]],
  ['€'.repeat(333), [0x80]],
])('bytes that are not UTF-8 behind %j are refused with their place', (good, wrong) => {
  const bytes = Buffer.concat([Buffer.from(`"${good}`), Buffer.from(wrong), Buffer.from('more"')]);
  const at = 1 + Buffer.byteLength(good);
  expect(refusal(() => decode(bytes))).toEqual({
    code: 'DECODE_INVALID',
    message: `decoding JSON: expected UTF-8, found bytes that are not at byte ${at}`,
  });
});

const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;

test('depth 64 passes and 65 does not, of arrays and of objects', () => {
  expect(decodeText(nested(64))).toEqual(JSON.parse(nested(64)));
  expect(refusal(() => decodeText(nested(65))).code).toBe('DECODE_DEPTH');
  const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  expect(decodeText(objects(64))).toEqual(JSON.parse(objects(64)));
  expect(refusal(() => decodeText(objects(65))).code).toBe('DECODE_DEPTH');
});

test('depth 10^6 costs neither stack nor time', () => {
  const bytes = Buffer.from(nested(1_000_000));
  const started = performance.now();
  expect(refusal(() => decode(bytes)).code).toBe('DECODE_DEPTH');
  expect(performance.now() - started).toBeLessThan(50);
});

test('1,000 distinct keys pass and 1,001 do not, however they are spread', () => {
  const keys = (count: number): string => Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',');
  expect(decodeText(`{${keys(1000)}}`)).toHaveProperty('k999', 1);
  expect(refusal(() => decodeText(`{${keys(1001)}}`)).code).toBe('DECODE_KEYS');
  expect(refusal(() => decodeText(`[{${keys(600)}},{"more":{${keys(999)},"last":2}},{"one too many":1}]`)).code).toBe(
    'DECODE_KEYS',
  );
});

test('the same keys may come as often as they like', () => {
  const rows = `[${Array.from({ length: 2000 }, () => '{"a":1,"b":2}').join(',')}]`;
  expect(decodeText(rows)).toHaveLength(2000);
});

test('100,000 keys are refused quickly', () => {
  const bytes = Buffer.from(`{${Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join(',')}}`);
  const started = performance.now();
  expect(refusal(() => decode(bytes)).code).toBe('DECODE_KEYS');
  expect(performance.now() - started).toBeLessThan(100);
});

test('__proto__ and constructor are names like any others', () => {
  const value = decodeText('{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}}}') as object;
  expect(Object.getOwnPropertyNames(value)).toEqual(['__proto__', 'constructor']);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(({} as { polluted?: number; x?: number }).polluted).toBeUndefined();
  expect(({} as { polluted?: number; x?: number }).x).toBeUndefined();
});

test('of duplicate keys the last counts; lone surrogates and large numbers decode as JavaScript can', () => {
  expect(decodeText('{"twice":1,"twice":2}')).toEqual({ twice: 2 });
  expect(decodeText('"\\ud800"')).toBe('\ud800');
  expect(decodeText('9007199254740993')).toBe(9007199254740992);
});

test('limits are the caller’s', () => {
  const strict = decoderFor('json', { maxDepth: 1, maxKeys: 1 });
  expect(strict(Buffer.from('{"a":1}'))).toEqual({ a: 1 });
  expect(refusal(() => strict(Buffer.from('[[1]]'))).code).toBe('DECODE_DEPTH');
  expect(refusal(() => strict(Buffer.from('{"a":1,"b":2}'))).code).toBe('DECODE_KEYS');
});

test('text is UTF-8 with U+FFFD for what is not, and bytes stay themselves', () => {
  const bytes = Uint8Array.of(0x61, 0xff, 0xc3, 0xa4);
  expect(decoderFor('text')(bytes)).toBe('a\ufffdä');
  expect(decoderFor('bytes')(bytes)).toBe(bytes);
});

test('a part of a larger buffer decodes alone', () => {
  const whole = new Uint8Array(Buffer.from('xx{"a":1}yy'));
  expect(decode(whole.subarray(2, 9))).toEqual({ a: 1 });
});

function outcome(action: () => unknown): unknown {
  try {
    return { value: action() };
  } catch {
    return 'refused';
  }
}

function refusal(action: () => unknown): { code: unknown; message: unknown } {
  try {
    action();
  } catch (error) {
    const { code, message } = error as { code: unknown; message: unknown };
    return { code, message };
  }
  throw new Error('was not refused');
}
