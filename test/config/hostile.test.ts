import { performance } from 'node:perf_hooks';
import { problemsOf, removeFolders } from './support/hub.ts';

afterEach(removeFolders);

const good = 'name: a\ntopic: t\nsources: [{ generate: {} }]\n';
const laughs = Array.from({ length: 10 }, (_, level) =>
  level === 0
    ? 'l0: &l0 [ha]'
    : `l${level}: &l${level} [${Array(9)
        .fill(`*l${level - 1}`)
        .join(', ')}]`,
).join('\n');

const table: readonly (readonly [what: string, text: string | Uint8Array, problem: string])[] = [
  ['a billion laughs', laughs, '2:10 CONFIG_SYNTAX more than 20 aliases'],
  ['an alias of itself', 'a: &a [*a]\n', '1:8 CONFIG_SYNTAX an alias of something that it is part of'],
  ['an alias of nothing', 'a: *b\n', '1:4 CONFIG_SYNTAX'],
  ['10,000 lists in each other', '['.repeat(10_000), '1:34 CONFIG_TOO_DEEP nested deeper than 32 levels'],
  ['10,000 mappings in each other', '{a: '.repeat(10_000), '1:130 CONFIG_TOO_DEEP'],
  ['10,000 lists in a line', `${'- '.repeat(10_000)}x`, '1:66 CONFIG_TOO_DEEP'],
  ['10,000 keys of keys', `${'? '.repeat(10_000)}x`, '1:66 CONFIG_TOO_DEEP'],
  ['a tag that runs code', 'name: !!js/function "function () { throw 1 }"\n', '1:7 CONFIG_SYNTAX'],
  ['a tag that nobody knows', `${good}x: !secret y\n`, '4:4 CONFIG_SYNTAX'],
  ['bytes', `${good}x: !!binary aGVsbG8=\n`, '4:4 CONFIG_SYNTAX'],
  ['a second document', `${good}---\n${good}`, '4:1 CONFIG_SYNTAX a second YAML document begins here'],
  ['50,000 documents', '---\n'.repeat(50_000), '2:1 CONFIG_SYNTAX a second YAML document'],
  ['tabs for indentation', 'name: a\nsources:\n\t- generate: {}\n', '3:1 CONFIG_SYNTAX'],
  ['50 MB', Buffer.alloc(50_000_000, '# '), '1:1 CONFIG_TOO_LARGE the file is larger than 256 KiB'],
  ['bytes that are no UTF-8', Buffer.from([0x6e, 0x61, 0xff, 0xfe]), '1:1 CONFIG_UNREADABLE the file is not UTF-8'],
  ['UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le'), '1:1 CONFIG_UNREADABLE the file is not UTF-8'],
  ['an open quote', "name: 'a\n", '2:1 CONFIG_SYNTAX'],
];

test.each(table)('%s: a problem within 200 ms', async (_what, text, expected) => {
  // The first one loads libraries.
  await problemsOf(good);
  const startedAt = performance.now();
  const [first] = await problemsOf(text);
  const tookMs = performance.now() - startedAt;
  expect(first).toMatch(new RegExp(`^${expected.replaceAll(/[.*+?()[\]]/g, '\\$&')}`));
  // Alone it is far less; the machine may be busy.
  expect(tookMs).toBeLessThan(1000);
});

test('keys that would change objects are refused and change nothing', async () => {
  const text = `${good}base: &base { __proto__: { polluted: true } }\n<<: *base\nconstructor: { prototype: { polluted: true } }\n`;
  const problems = await problemsOf(text);
  expect(problems).toEqual([
    '4:1 CONFIG_UNKNOWN_OPTION the pipeline has no option `base`',
    '4:15 CONFIG_FORBIDDEN_KEY `__proto__` is not allowed as a key',
    '5:1 CONFIG_FORBIDDEN_KEY merge keys are not read; write the keys out',
    '6:1 CONFIG_FORBIDDEN_KEY `constructor` is not allowed as a key',
    '6:16 CONFIG_FORBIDDEN_KEY `prototype` is not allowed as a key',
  ]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('a key that stands twice is a problem, and the others are found too', async () => {
  expect(await problemsOf(`${good}name: b\nsink: []\n`)).toEqual([
    '4:1 CONFIG_DUPLICATE_KEY `name` stands here a second time; remove one',
    '5:1 CONFIG_UNKNOWN_OPTION the pipeline has no option `sink`; did you mean `sinks`?',
  ]);
});

test('20,000 different keys are read in time', async () => {
  const startedAt = performance.now();
  const text = `${good}${Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')}`;
  expect((await problemsOf(text)).length).toBeGreaterThan(1);
  // Two seconds on an idle machine, half a minute when each key is searched for among all.
  expect(performance.now() - startedAt).toBeLessThan(20_000);
}, 60_000);

test('what looks odd and is not: a byte order mark, CRLF, an alias, a numeric key, the version directive', async () => {
  expect(await problemsOf(`\ufeff${good}`)).toEqual([]);
  expect(await problemsOf(good.replaceAll('\n', '\r\n'))).toEqual([]);
  expect(await problemsOf(`%YAML 1.2\n---\n${good}...\n`)).toEqual([]);
  expect(await problemsOf(`%YAML 1.1\n---\n${good}dead_letter: off\n`)).toEqual([]);
  expect(await problemsOf('name: &n a\ntopic: *n\nsources: [{ generate: {} }]\n')).toEqual([]);
  expect(await problemsOf(`${good}8080: x\n`)).toEqual(['4:1 CONFIG_UNKNOWN_OPTION the pipeline has no option `8080`']);
});

test('places are right behind a byte order mark, CRLF and wide characters', async () => {
  expect(await problemsOf('\ufeffnam: a\ntopic: t\nsources: [{ generate: {} }]\n')).toEqual([
    '1:1 CONFIG_UNKNOWN_OPTION the pipeline has no option `nam`; did you mean `name`?',
  ]);
  expect(await problemsOf('name: a\r\n# ünïcode 🎉\r\ntopic: t\r\nsources: [{ generate: { raet: 1 } }]\r\n')).toEqual([
    '4:25 CONFIG_UNKNOWN_OPTION generate has no option `raet`; did you mean `rate`?',
  ]);
});
