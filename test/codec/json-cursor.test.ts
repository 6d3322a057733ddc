import fc from 'fast-check';
import { JsonCursor } from '../../src/codec/index.ts';

/** What the cursor reads, put together again. */
function build(cursor: JsonCursor): unknown {
  switch (cursor.kind()) {
    case 'object': {
      const members: [string, unknown][] = [];
      cursor.enter();
      while (cursor.member()) {
        const name = cursor.string;
        members.push([name, build(cursor)]);
      }
      return Object.fromEntries(members);
    }
    case 'array': {
      const elements: unknown[] = [];
      cursor.enter();
      while (cursor.element()) elements.push(build(cursor));
      return elements;
    }
    case 'text':
      cursor.scalar();
      return cursor.string;
    default:
      cursor.scalar();
      return JSON.parse(cursor.string);
  }
}

function opened(text: string): JsonCursor {
  const cursor = new JsonCursor();
  // What stands behind the value is not read.
  const bytes = Buffer.from(`${text},"behind"]}`);
  cursor.open(bytes, 0, Buffer.byteLength(text));
  return cursor;
}

test('reads every JSON value as a parser does, with and without white space', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t\r'), (value, space) => {
      const text = JSON.stringify(value, null, space);
      const cursor = opened(text);
      expect(build(cursor)).toEqual(JSON.parse(text));
      expect(cursor.at).toBe(Buffer.byteLength(text));
    }),
  );
});

test('skips every JSON value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const cursor = opened(text);
      cursor.skip();
      expect(cursor.at).toBe(Buffer.byteLength(text));
    }),
  );
});

test.each([
  ['"plain"', 'plain'],
  ['"\\u0069d"', 'id'],
  ['"ä\\n"', 'ä\n'],
  ['"\\\\"', '\\'],
  ['"\\""', '"'],
  ['"日本"', '日本'],
])('the text %s', (text, expected) => {
  const cursor = opened(text);
  cursor.scalar();
  expect(cursor.string).toBe(expected);
});

test('names are compared as they were written', () => {
  const cursor = opened('{"id":1,"\\u0069d":2}');
  cursor.enter();
  cursor.member();
  expect(cursor.is(Buffer.from('id'))).toBe(true);
  expect(cursor.is(Buffer.from('idx'))).toBe(false);
  cursor.skip();
  cursor.member();
  expect(cursor.is(Buffer.from('id'))).toBe(false);
});

test('depth costs no stack', () => {
  const cursor = opened(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`);
  cursor.skip();
  expect(cursor.at).toBe(2_000_000);
});
