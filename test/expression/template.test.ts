import { checkTemplate, compileTemplate, templateReadsValue } from '../../src/expression/index.ts';
import { recordBatch } from '../../src/testing/index.ts';
import { batchOf, thrownBy, TIME } from './support/records.ts';

const pathOf = (text: string, value: unknown): string =>
  compileTemplate(text, { confined: 'path', baseDir: '/etc/sluice' }).render(batchOf(value), 0);
const nameOf = (text: string, value: unknown): string =>
  compileTemplate(text, { confined: 'name', baseDir: '/' }).render(batchOf(value), 0);
const textOf = (text: string, value: unknown): string =>
  compileTemplate(text, { confined: 'none', baseDir: '/' }).render(batchOf(value), 0);

describe('a template', () => {
  it.each([
    ['plain', {}, 'plain'],
    ['{{ value.a }}', { a: 'x' }, 'x'],
    ['a {{value.a}} b {{ value.b }}{{value.a}}', { a: 'x', b: 1 }, 'a x b 1x'],
    ['{{ "}}" + value.a }}', { a: 'x' }, '}}x'],
    ["{{ 'it\\'s }}' }}", {}, "it's }}"],
    ['{{ r"\\d}}" }}', {}, '\\d}}'],
    ['{{ """a"b}}""" }}', {}, 'a"b}}'],
    ['{{ {"a": {"b": "c"}}["a"]["b"] }}', {}, 'c'],
    ['}} {{ value.big }}', { big: 12345678901 }, '}} 12345678901'],
    ["{{ formatTime(timestamp, 'yyyy.MM.dd HH:mm:ss.SSS DDD') }}", {}, '2026.01.31 23:05:09.007 031'],
    [`{{ formatTime(value.ms, "yyyy-MM-dd'T'HH'o''clock'") }}`, { ms: TIME }, "2026-01-31T23o'clock"],
    ["{{ formatTime(timestamp(value.at), 'HH:mm') }}", { at: '2026-01-31T23:30:00-01:00' }, '00:30'],
    ['{{ timestamp }}', {}, '2026-01-31T23:05:09.007Z'],
    ['{{ topic }}-{{ partition }}-{{ offset }}', {}, 'in-3-41'],
  ])('%s renders %j', (text, value, expected) => {
    expect(textOf(text, value)).toBe(expected);
  });

  it('is constant without expressions, and a path is absolute then', () => {
    expect(compileTemplate('../out/', { confined: 'path', baseDir: '/etc/sluice' })).toMatchObject({
      constant: '/etc/out',
      prefix: '/etc/out',
    });
    expect(compileTemplate('logs', { confined: 'name', baseDir: '/' })).toMatchObject({
      constant: 'logs',
      prefix: 'logs',
    });
    expect(compileTemplate('a{{ key }}', { confined: 'none', baseDir: '/' })).toMatchObject({
      constant: null,
      prefix: 'a',
    });
  });

  it.each([
    ['{{ value.a }}', {}, /No such key: a/],
    ['{{ value.a }}', { a: null }, /null, which has no text/],
    ['{{ value.a }}', { a: {} }, /a map, which has no text/],
    ['{{ value.a }}', { a: [1] }, /a list, which has no text/],
    ['{{ formatTime(timestamp, value.a) }}', { a: 'Q' }, /does not know 'Q'/],
  ])('%s refuses a record %j', (text, value, message) => {
    const thrown = thrownBy(() => textOf(text, value));
    expect(thrown.code).toBe('EXPRESSION_FAILED');
    expect(thrown.message).toMatch(message);
  });

  it('tells whether it looks into the value', () => {
    expect(templateReadsValue('out/value/{{ formatTime(timestamp, "yyyy") }}')).toBe(false);
    expect(templateReadsValue('out/{{ topic }}/{{ value.a }}')).toBe(true);
  });

  it.each([
    ['out/{{ value.a', 'path', 4, /not closed by/],
    ['out/{{ "a }}', 'path', 7, /quotes is not closed/],
    ['out/{{ }}', 'path', 6, /expression is missing/],
    ['out/{{ topic }}/{{ nope }}', 'path', 19, /no variable `nope`/],
    ['a{{ [1] }}', 'none', 3, /must give a text or a number/],
    ['out/{{ topic }}/../x', 'path', 15, /may not be empty, and not begin with a dot/],
    ['out/{{ topic }}//x', 'path', 15, /may not be empty/],
  ] as const)('%s is refused at its place', (text, confined, at, message) => {
    const problem = checkTemplate(text, confined);
    expect(problem).toMatchObject({ kind: 'invalid' });
    expect(problem?.message).toMatch(message);
    expect(problem?.at).toBeGreaterThanOrEqual(at);
    expect(problem?.at).toBeLessThanOrEqual(at + 1);
  });
});

describe('what confines a template', () => {
  it.each([
    ['{{ value.a }}', 'path'],
    ['/{{ value.a }}', 'path'],
    ['./{{ value.a }}', 'path'],
    ['../{{ value.a }}', 'path'],
    ['out/../{{ value.a }}', 'path'],
    ['out-{{ value.a }}', 'path'],
    ['{{ value.a }}', 'name'],
    ['.{{ value.a }}', 'name'],
    ['-_{{ value.a }}', 'name'],
  ] as const)('is missing in %s as a %s', (text, confined) => {
    expect(checkTemplate(text, confined)).toMatchObject({ kind: 'unconfined', at: 0 });
    expect(thrownBy(() => compileTemplate(text, { confined, baseDir: '/x' })).code).toBe('EXPRESSION_INVALID');
  });

  it.each([
    ['out/{{ value.a }}', '/etc/sluice/out', '/etc/sluice/out/x'],
    ['../out/{{ value.a }}/', '/etc/out', '/etc/out/x'],
    ['out/app-{{ value.a }}/y', '/etc/sluice/out', '/etc/sluice/out/app-x/y'],
    ['/var/out/{{ value.a }}', '/var/out', '/var/out/x'],
  ])('%s is the folder %s', (text, prefix, rendered) => {
    const template = compileTemplate(text, { confined: 'path', baseDir: '/etc/sluice' });
    expect(template.prefix).toBe(prefix);
    expect(template.render(batchOf({ a: 'x' }), 0)).toBe(rendered);
  });

  it('lets an expression make folders', () => {
    expect(pathOf("out/{{ formatTime(timestamp, 'yyyy/MM/dd') }}", {})).toBe('/etc/sluice/out/2026/01/31');
  });
});

const HOSTILE = [
  '../../etc/cron.d/x',
  '..',
  '.',
  '/etc/passwd',
  'a/../b',
  'a//b',
  'a\0b',
  'a\nb',
  '%2e%2e',
  '..\\x',
  'a\u202eb',
  '\ud800',
  '\u001b[31m',
  '.hidden',
  'x'.repeat(300),
  'x/'.repeat(2000),
  '',
];

describe('a hostile field', () => {
  it.each(HOSTILE)('%j never leaves a folder', (a) => {
    const thrown = thrownBy(() => pathOf('out/{{ value.a }}/x', { a }));
    expect(thrown.code).toBe('TEMPLATE_ESCAPED');
    expect(thrown.message).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(thrown.message.length).toBeLessThan(400);
  });

  it.each(['*', 'a/b', 'a,b', 'a\0', 'ä', 'a b', '%2e', 'a\n', '"', 'x'.repeat(300)])('%j makes no name', (a) => {
    expect(thrownBy(() => nameOf('logs-{{ value.a }}', { a })).code).toBe('TEMPLATE_ESCAPED');
  });

  it.each(['_all', '.kibana', '-x', '..', 'UPPER', 'a.b-c_d'])('%j stays behind the prefix of a name', (a) => {
    expect(nameOf('logs-{{ value.a }}', { a })).toBe(`logs-${a}`);
  });

  it('is looked at in each rendering, also of a name that was good', () => {
    const template = compileTemplate('out/{{ value.a }}', { confined: 'path', baseDir: '/b' });
    expect(template.render(batchOf({ a: 'x' }), 0)).toBe('/b/out/x');
    expect(thrownBy(() => template.render(batchOf({ a: '..' }), 0)).code).toBe('TEMPLATE_ESCAPED');
    expect(template.render(batchOf({ a: 'x' }), 0)).toBe('/b/out/x');
  });
});

it('is rendered anew for each record that it looks into, and for each time', () => {
  const records = [0, 0, 86_400_000, 0].map((timestamp, index) => ({ value: `"v${index}"`, timestamp }));
  const batch = recordBatch([{ partition: { topic: 'in', partition: 0, incarnation: 'AAAAAAAA' }, base: 0, records }]);
  const allOf = (text: string): string[] => {
    const { render } = compileTemplate(text, { confined: 'name', baseDir: '/' });
    return records.map((_, index) => render(batch, index));
  };
  expect(allOf("a-{{ formatTime(timestamp, 'DDD') }}")).toEqual(['a-001', 'a-001', 'a-002', 'a-001']);
  expect(allOf("a-{{ formatTime(timestamp, 'DDD') }}-{{ value }}")).toEqual([
    'a-001-v0',
    'a-001-v1',
    'a-002-v2',
    'a-001-v3',
  ]);
});

test.each([
  ["{{ formatTime(timestamp, 'yyyy.MM.dd HH:mm') }}", 60_000],
  ["{{ formatTime(timestamp, 'mm:ss') }}", 1000],
  ["{{ formatTime(timestamp, 'ss.SSS') }}", 1],
  ['{{ formatTime(timestamp, "mm\'ss.SSS\'") }}', 60_000],
  ["{{ formatTime(timestamp, 'mm') }}-{{ formatTime(timestamp, 'ss') }}", 1000],
  ['{{ timestamp }}', 1],
])('%s is rendered once in %d ms, and anew where it changes', (text, stepMs) => {
  const times = [0, 1, 999, 1000, 1001, 59_999, 60_000, 59_999, 86_399_999, 86_400_000, 86_400_000];
  const template = compileTemplate(`a-${text}`, { confined: 'none', baseDir: '/' });
  const batch = recordBatch([
    {
      partition: { topic: 'in', partition: 0, incarnation: 'AAAAAAAA' },
      base: 0,
      records: times.map((timestamp) => ({ value: '', timestamp })),
    },
  ]);
  const looked = jest.spyOn(batch, 'record');
  const steps = times.map((time) => Math.floor(time / stepMs));
  for (const index of times.keys()) {
    const fresh = compileTemplate(`a-${text}`, { confined: 'none', baseDir: '/' });
    const expected = fresh.render(batch, index);
    looked.mockClear();
    expect(template.render(batch, index)).toBe(expected);
    expect(looked).toHaveBeenCalledTimes(steps[index] === steps[index - 1] ? 0 : 1);
  }
});
