import { compileExpression, compileKey } from '../../src/expression/index.ts';
import { recordOf, thrownBy, TIME } from './support/records.ts';

const keyOf = (text: string, value: unknown): string | null => {
  const bytes = compileKey(text)(recordOf(value));
  return bytes === null ? null : Buffer.from(bytes).toString();
};

describe('a key', () => {
  it.each([
    ['value.user', { user: 'Zoë' }, 'Zoë'],
    ['value.id', { id: 42 }, '42'],
    ['value.id', { id: 1.5 }, '1.5'],
    ['int(value.id) * 1000000007', { id: 9007199254 }, '9007199317050394778'],
    ['value.ok', { ok: true }, 'true'],
    ['timestamp', {}, new Date(TIME).toISOString()],
    ['value.a + "/" + string(value.b)', { a: 'x', b: 2 }, 'x/2'],
    ['value.user', {}, null],
    ['value.user', { user: null }, null],
  ])('by %s of %j is %s', (text, value, expected) => {
    expect(keyOf(text, value)).toBe(expected);
  });

  it('of bytes is those bytes', () => {
    const bytes = Uint8Array.of(0, 255, 7);
    expect(compileKey('value')(recordOf(bytes))).toEqual(bytes);
  });

  it.each([
    ['value.a', { a: [1] }, /a list, which makes no key/],
    ['value', { a: [1] }, /a map, which makes no key/],
    ['value.a + 1', { a: 'x' }, /`string \+ int` is not possible/],
  ])('by %s of %j is refused', (text, value, message) => {
    const thrown = thrownBy(() => keyOf(text, value));
    expect(thrown.code).toBe('EXPRESSION_FAILED');
    expect(thrown.message).toMatch(message);
  });
});

describe('an expression of a connector', () => {
  it('gives the values of CEL', () => {
    expect(compileExpression('value.a + 1').evaluate(recordOf({ a: 1 }))).toBe(2);
    expect(compileExpression('offset + 1').evaluate(recordOf({}))).toBe(42n);
  });

  it('wants its fields', () => {
    expect(thrownBy(() => compileExpression('value.a').evaluate(recordOf({})))).toEqual({
      code: 'EXPRESSION_FAILED',
      message: 'evaluating "value.a": No such key: a',
    });
  });
});
