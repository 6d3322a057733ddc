import fc from 'fast-check';
import { LinePattern } from '../../../connectors/file/source/framing/pattern/line-pattern.ts';

const matches = (pattern: string, line: string): boolean => {
  const bytes = Buffer.from(`before${line}after`);
  return new LinePattern(pattern).test(bytes, 6, bytes.length - 5);
};

test.each([
  ['^\\d{4}-\\d{2}', ['2026-11', '2026-11-28 x'], ['x2026-11', '202-11', '']],
  ['^[[:space:]]+(at|\\.{3})[[:space:]]+\\b', ['  at foo', '\t... 3'], ['at foo', '  at  ', '  attic']],
  ['^(?:Caused by|Suppressed): ', ['Caused by: x'], ['  Caused by: x', 'Caused by']],
  ['\\\\$', ['a\\'], ['a\\ ', '']],
  ['^$', [''], ['a', ' ']],
  ['', ['', 'anything'], []],
  ['a|^b$|c', ['xa', 'b', 'cc'], ['bb', '']],
  ['(?i)^error\\b', ['ERROR x', 'error:', 'Error'], ['errors', 'an error']],
  ['\\bcat\\b', ['a cat.', 'cat'], ['concat', 'cats']],
  ['\\Bcat', ['concat'], ['cat', ' cat']],
  ['[^a-c\\]]x', ['dx', 'éx'], ['ax', 'bx', ']x']],
  ['[]x-]z', [']z', 'xz', '-z'], ['az']],
  ['^a{2,3}?b+$', ['aab', 'aaabbb'], ['ab', 'aaaab', 'aa']],
  ['^(ab){2,}$', ['abab', 'ababab'], ['ab', 'aba']],
  ['Straße|日本', ['die Straße', '日本語'], ['Strasse', '日']],
  ['\\x41\\u00e9\\t', ['Aé\t'], ['Ae\t']],
  ['(?<name>x)(?P<other>y)', ['xy'], ['x']],
  ['^(?:|a)b', ['b', 'ab'], ['aab']],
  ['a{,3}', ['a{,3}'], ['aaa']],
])('%s', (pattern, yes, no) => {
  expect(LinePattern.problemOf(pattern)).toBeNull();
  expect(yes.filter((line) => !matches(pattern, line))).toEqual([]);
  expect(no.filter((line) => matches(pattern, line))).toEqual([]);
});

test.each([
  ['(a', 'not closed'],
  ['a)', 'closes nothing'],
  ['[a', 'not closed'],
  ['*a', 'nothing stands before'],
  ['^*', 'nothing stands before'],
  ['a**', 'repeated'],
  ['a++', 'repeated'],
  ['(a)\\1', 'more than one pass'],
  ['(?=a)', 'more than one pass'],
  ['(?<!a)b', 'more than one pass'],
  ['a(?i)b', 'at the beginning'],
  ['\\p{L}', 'no meaning'],
  ['[é]', 'not of ASCII'],
  ['[z-a]', 'more to less'],
  ['a{3,2}', 'more to less'],
  ['a{2000}', '1000 times'],
  ['(a{1000}){1000}', 'too large'],
  ['[[:nothing:]]', 'no class'],
  ['a\\', 'backslash'],
  ['('.repeat(60) + ')'.repeat(60), 'deeper'],
])('%s is refused: %s', (pattern, reason) => {
  expect(LinePattern.problemOf(pattern)).toContain(reason);
});

test('patterns that take other engines for ever take one look at each byte', () => {
  const line = Buffer.from(`${'a'.repeat(1_000_000)}!`);
  const startedAt = performance.now();
  for (const pattern of ['^(a+)+$', '^(a|aa)*$', '(a*)*b', '^(?:.*a){20}$', '(?:a?){50}a{50}$']) {
    expect(new LinePattern(pattern).test(line, 0, line.length)).toBe(false);
  }
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

test('as the engine of JavaScript has it, for any pattern and line', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\s', '\\b', '\\B', '^', '$', ' ', '-');
  const count = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}', '{2,}');
  const { pattern } = fc.letrec<{ pattern: string; group: string }>((tie) => ({
    group: fc.tuple(tie('pattern'), count).map(([inner, times]) => `(?:${inner})${times}`),
    pattern: fc
      .array(
        fc.oneof(
          { maxDepth: 3 },
          {
            weight: 4,
            arbitrary: fc
              .tuple(atom, count)
              .map(([one, times]) => (/^[\^$]|^\\b$|^\\B$/.test(one) ? one : one + times)),
          },
          { weight: 1, arbitrary: tie('group') },
          { weight: 1, arbitrary: fc.constant('|') },
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.join('')),
  }));
  const line = fc.array(fc.constantFrom('a', 'b', ' ', '-', '_'), { maxLength: 12 }).map((letters) => letters.join(''));
  fc.assert(
    fc.property(pattern, fc.array(line, { minLength: 1, maxLength: 8 }), (source, lines) => {
      const ours = new LinePattern(source);
      const theirs = new RegExp(source);
      for (const each of lines) {
        const bytes = Buffer.from(each);
        if (ours.test(bytes, 0, bytes.length) !== theirs.test(each))
          throw new Error(`/${source}/ on ${JSON.stringify(each)}`);
      }
    }),
    { numRuns: 2000 },
  );
});
