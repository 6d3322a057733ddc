import { jsonLine, printable, printableBytes } from '../../src/cli/printable.ts';

const HOSTILE = '\u001b[2J\u001b]0;title\u0007 a\u202eb \u009b31m \ud800 \u200b\u2028\r\n\tend';

test('what a record says cannot steer a terminal', () => {
  expect(printable(HOSTILE)).toBe(
    '\\u{1b}[2J\\u{1b}]0;title\\u{7} a\\u{202e}b \\u{9b}31m \\u{d800} \\u{200b}\\u{2028}\\r\\n\\tend',
  );
});

test('JSON is safe too, and says the same', () => {
  const line = jsonLine({ text: HOSTILE, astral: '\u{e0041}' });
  expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  expect(JSON.parse(line)).toEqual({ text: HOSTILE, astral: '\u{e0041}' });
});

test('other letters stay as they are', () => {
  expect(printable('Zoë 日本 🚲 "x" \\n')).toBe('Zoë 日本 🚲 "x" \\n');
});

test('bytes are text where they are, and base64 elsewhere', () => {
  expect(printableBytes(Buffer.from('Zoë'))).toBe('Zoë');
  expect(printableBytes(Uint8Array.of(0xff, 0))).toBe('(2 bytes) /wA=');
  expect(printableBytes(null)).toBe('(null)');
});

test('what is very long is cut', () => {
  expect(printable('x'.repeat(1_000_000))).toHaveLength(2001);
});
