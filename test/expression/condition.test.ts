import { SluiceError } from '../../src/api/index.ts';
import { checkExpression, compileCondition, readsValue } from '../../src/expression/index.ts';
import { recordOf, thrownBy, TIME } from './support/records.ts';

const holds = (text: string, value: unknown, more = {}): boolean => compileCondition(text)(recordOf(value, more));

describe('numbers of JSON beside whole numbers of CEL', () => {
  it.each([
    ['value.status >= 500', { status: 503 }, true],
    ['value.status >= 500', { status: 499.5 }, false],
    ['500 <= value.status', { status: 500 }, true],
    ['value.status == 200', { status: 200 }, true],
    ['value.status != 200', { status: 200 }, false],
    ['value.status in [200, 204]', { status: 204 }, true],
    ['value.n + 1 == 3', { n: 2 }, true],
    ['2 * value.n - 1 > 2.5', { n: 2 }, true],
    ['value.n / 2 == 1.5', { n: 3 }, true],
    ['value.n % 2 == 1', { n: 7 }, true],
    ['int(value.n) % 4 == 3', { n: 7 }, true],
    ['value.a < value.b', { a: 1, b: 2 }, true],
    ['value.list[1] == "b"', { list: ['a', 'b'] }, true],
    ['value.list[value.i] == "a"', { list: ['a', 'b'], i: 0 }, true],
    ['size(value.list) == 2 && value.list.size() > 1', { list: ['a', 'b'] }, true],
    ['-value.n < 0', { n: 1 }, true],
    ['offset == 41 && partition == 3 && offset > 40.5', {}, true],
  ])('%s of %j is %s', (text, value, expected) => {
    expect(holds(text, value)).toBe(expected);
  });
});

describe('what a record has', () => {
  it('is bound by name', () => {
    const more = { key: 'k', headers: { source: 'a', constructor: 'b', none: null } };
    const text =
      'key == "k" && topic == "in" && headers["source"] == "a" && headers.constructor == "b" && headers.none == null';
    expect(holds(text, {}, more)).toBe(true);
  });

  it('has a time that is in UTC whatever the machine says', () => {
    const text =
      'timestamp.getHours() == 23 && timestamp.getDate() == 31 && timestamp.getDayOfYear() == 30 && ' +
      'timestamp >= timestamp("2026-01-31T00:00:00+01:00") && timestamp < timestamp("2026-02-01T00:00:00Z")';
    expect(holds(text, {})).toBe(true);
    expect(holds('timestamp(value.seconds) < timestamp', { seconds: TIME / 1000 - 1 })).toBe(true);
  });

  it.each(['2026-01-31T12:00:00', '2026-01-31', 'yesterday', '2026-13-01T00:00:00Z'])('takes no time %j', (text) => {
    expect(thrownBy(() => holds(`timestamp("${text}") < timestamp`, {})).code).toBe('EXPRESSION_FAILED');
  });
});

describe('a missing field', () => {
  it.each([
    ['value.status >= 500', {}],
    ['value.a.b.c == 1', { a: {} }],
    ['value.a.b == 1', { a: null }],
    ['value.a.b == 1', { a: 'text' }],
    ['value.a == 1', 'text'],
    ['value.a == 1', null],
    ['value.list[3] == 1', { list: [1] }],
    ['headers["x"] == "1"', {}],
    ['!(value.off)', {}],
    ['value.a == 1 && value.b == 2', { a: 1 }],
    ['value.toString == 1', {}],
    ['value.__proto__ == 1', {}],
  ])('makes %s false for %j', (text, value) => {
    expect(holds(text, value)).toBe(false);
  });

  it('is asked for by has()', () => {
    expect(holds('!has(value.off)', {})).toBe(true);
    expect(holds('has(value.off)', { off: null })).toBe(true);
  });

  it('does not hide the side that decides', () => {
    expect(holds('value.a == 1 || value.b == 2', { b: 2 })).toBe(true);
  });
});

describe('a failure', () => {
  it.each([
    ['value.a > 5', { a: '7' }, /`string > int` is not possible/],
    ['value.a.startsWith("x")', { a: 5 }, /there is no function `double.startsWith\(string\)`/],
    ['value.a', { a: 'yes' }, /the result is a string, not true or false/],
    ['value.a', { a: null }, /the result is null/],
    ['1 / int(value.a) == 1', { a: 0 }, /division by zero/],
  ])('of %s for %j is told in one line', (text, value, message) => {
    const thrown = thrownBy(() => holds(text, value));
    expect(thrown.code).toBe('EXPRESSION_FAILED');
    expect(thrown.message).toMatch(message);
    expect(thrown.message).toContain(`evaluating "${text.replaceAll('"', '\\"')}": `);
    expect(thrown.message).not.toContain('\n');
  });

  it('of the decoder is passed on as it is, and only if the value is looked at', () => {
    const error = new SluiceError('DECODE_INVALID', 'decoding JSON: it ends too early');
    const bad = recordOf(null);
    Object.defineProperty(bad, 'value', {
      get: () => {
        throw error;
      },
    });
    expect(thrownBy(() => compileCondition('value.a == 1')(bad)).code).toBe('DECODE_INVALID');
    expect(thrownBy(() => compileCondition('value.a == 1 || key == "x"')(bad)).code).toBe('DECODE_INVALID');
    expect(compileCondition('topic == "in"')(bad)).toBe(true);
  });
});

describe('hostile data', () => {
  it('may have members called constructor', () => {
    const value = { constructor: 'Ferrari', laps: [{ constructor: null, time: 5 }] };
    expect(holds('value.constructor == "Ferrari"', value)).toBe(true);
    expect(holds('value.laps[0].time == 5 && has(value.constructor)', value)).toBe(true);
    expect(holds('value.laps.exists(lap, lap.time > 4)', value)).toBe(true);
    expect(holds('value.constructor.prototype == 1', { constructor: { prototype: 1 } })).toBe(true);
  });

  it('keeps __proto__ as data', () => {
    const value: unknown = JSON.parse('{"__proto__": {"x": 1}}');
    expect(holds('value.__proto__.x == 1', value)).toBe(true);
    expect(holds('value.x == 1', value)).toBe(false);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  const many = Array.from({ length: 20_000 }, (_, index) => index);

  it('may be long where an expression looks at each element once', () => {
    expect(holds('value.exists(x, x == 19999) && value.all(x, x >= 0)', many)).toBe(true);
    expect(holds('value.rows.exists(row, row.cells.exists(cell, cell == "x"))', { rows: [{ cells: ['x'] }] })).toBe(
      true,
    );
  });

  it.each([
    ['value.list.exists(a, value.list.exists(b, a + b < 0))', { list: many }],
    ['value.list.exists(a, -a - 1 in value.list)', { list: many }],
    ['value.list.all(a, value.list.map(b, b).size() > 0)', { list: many }],
    ['value.list.all(a, value.text.contains("b") == false)', { list: many, text: 'a'.repeat(500_000) }],
    ['value.list.all(a, value.x == value.y)', { list: many, x: [{ many }], y: [{ many: [...many] }] }],
  ])('cannot make %s run long', (text, value) => {
    const start = performance.now();
    expect(thrownBy(() => holds(text, value)).message).toContain('too many steps');
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe('the text of an expression', () => {
  it.each([
    ['', 0, /missing/],
    ['value.a >', 9, /ends too early/],
    ['value.a > "x', 10, /Unterminated string/],
    ['status >= 500', 0, /there is no variable `status`.*did you mean `value.status`/],
    ['topic > 5', 0, /`string > int` is not possible/],
    ['timestamp > 5', 0, /`timestamp > int` is not possible; write a time as timestamp\("/],
    ['key == "a" && value.x.matches("^(a+)+$")', 14, /matches\(\) is left out/],
    ['value.list.exists(x, x.matches("a"))', 21, /matches\(\) is left out/],
    ['timestamp.getHours("Europe/Berlin") > 1', 0, /all times are UTC/],
    ['cel.bind(a, value, a == 1)', 0, /cel.bind\(\) is left out/],
    ['formatTime(timestamp, "yyyy-ww") == ""', 22, /does not know 'ww'/],
    ['key + 1 + ', 10, /ends too early/],
    [`key == "${'x'.repeat(5000)}"`, 4096, /at most 4096 characters/],
  ])('%s is refused at %d', (text, at, message) => {
    const problem = checkExpression(text);
    expect(problem).toMatchObject({ at, kind: 'invalid' });
    expect(problem?.message).toMatch(message);
    const thrown = thrownBy(() => compileCondition(text));
    expect(thrown.code).toBe('EXPRESSION_INVALID');
    expect(thrown.message).toContain(`at character ${at + 1}: `);
  });

  it('must give what it is used for', () => {
    expect(checkExpression('1 + 1', 'condition')?.message).toMatch(/must be true or false, this gives int/);
    expect(checkExpression('offset', 'key')?.message).toMatch(/no offset yet/);
    expect(checkExpression('[1]', 'key')?.message).toMatch(/a key is a text or a number/);
    expect(checkExpression('value.a', 'condition')).toBeNull();
    expect(checkExpression('string(value.a) + "x"', 'key')).toBeNull();
  });

  it('of any nesting is answered', () => {
    expect(checkExpression('('.repeat(2000))).not.toBeNull();
    expect(checkExpression(`${'!'.repeat(4000)}true`)).not.toBeNull();
  });

  it('tells whether it looks into the value', () => {
    expect(readsValue('key == "a" || headers.x == "b"')).toBe(false);
    expect(readsValue('has(value.a)')).toBe(true);
    expect(readsValue('["a"].exists(x, value.b == x)')).toBe(true);
  });
});
