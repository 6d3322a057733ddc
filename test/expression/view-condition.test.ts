import fc from 'fast-check';
import { decoderFor } from '../../src/codec/index.ts';
import { compileCondition, compileViewCondition } from '../../src/expression/index.ts';
import { recordBatch } from '../../src/testing/index.ts';
import { anyBytes } from '../codec/support/json-documents.ts';
import { TIME } from './support/records.ts';

const partition = { topic: 'in', partition: 3, incarnation: 'AAAAAAAA' };

const field = fc.constantFrom(
  ...[
    'value.status',
    'value.a',
    'value.b',
    'value.a.b',
    'value.a.b.list',
    'value["é"]',
    'value["a b"].a',
    'value.list',
  ],
  ...['value.list[0]', 'value.list[0].a', 'value.constructor', 'value.toString', 'value.a.constructor', 'value[""]'],
);
const literal = fc.constantFrom('500', '499.5', '"error"', '"503"', 'true', 'null', '[1, 503]', '{"a": 7}', 'offset');
const simple = fc.oneof(
  fc.tuple(field, fc.constantFrom('==', '!=', '<', '>=', '+'), literal).map((parts) => parts.join(' ')),
  fc.tuple(field, fc.constantFrom('==', '<', 'in'), field).map((parts) => parts.join(' ')),
  field.filter((text) => !text.endsWith(']')).map((text) => `has(${text})`),
  field.map((text) => `size(${text}) > 1`),
  field.map((text) => `${text}.contains("r")`),
  field.map((text) => `${text}.exists(value, value == 7)`),
  field.map((text) => `${text}.exists(x, x == value.status)`),
  field.map((text) => `string(${text}) == "503"`),
  field,
  fc.constantFrom(
    'has(value.a)',
    'value == null',
    'size(value) > 2',
    '"a" in value',
    'value[key] == 7',
    'topic == "in"',
  ),
);
const condition = fc.oneof(
  simple,
  fc
    .tuple(simple, fc.constantFrom('&&', '||'), simple)
    .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
  simple.map((text) => `!(${text})`),
);

function outcome(run: () => boolean): unknown {
  try {
    return run();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { code, message };
  }
}

function isValid(text: string): boolean {
  try {
    compileCondition(text);
    return true;
  } catch {
    return false;
  }
}

test('a condition over stored records says of each what it says of the decoded record, and fails as it does', () => {
  const ofValues = fc.tuple(condition.filter(isValid), fc.array(fc.option(anyBytes), { minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(ofValues, ([text, values]) => {
      const records = values.map((value) => ({ key: 'a', value, timestamp: TIME }));
      const view = (): ReturnType<typeof recordBatch> =>
        recordBatch([{ partition, base: 41, records }], decoderFor('json'));
      const [stored, decoded] = [view(), view()];
      const holds = compileViewCondition(text, 'json');
      const expected = compileCondition(text);
      for (const index of values.keys()) {
        expect(outcome(() => holds(stored, index))).toEqual(outcome(() => expected(decoded.record(index))));
      }
    }),
    { numRuns: 1500 },
  );
});

test.each([
  ['value.status >= 500', 0],
  ['has(value.a.b) && value["a"].?b.orValue("") == "x" || key == "k" && offset == 41', 0],
  ['value.list.exists(x, x == value.status)', 0],
  ['topic == "in" || value.status', 0],
  ['size(value) > 1', 1],
  ['value[key] == 1', 1],
  ['value.__proto__ == 1', 1],
  // What fails is told as it is of the whole value.
  ['value.status + "x" == "y"', 1],
])('%s has %i whole values decoded', (text, times) => {
  const records = [{ key: 'k', value: '{"status":503,"a":{"b":"x"},"list":[503]}' }];
  const decode = jest.fn((bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString()));
  const view = recordBatch([{ partition, base: 41, records }], decode);
  outcome(() => compileViewCondition(text, 'json')(view, 0));
  expect(decode).toHaveBeenCalledTimes(times);
});

test.each(['text', 'bytes'] as const)('values that are decoded as %s are no JSON', (decode) => {
  const records = [{ value: '{"a":"b"}' }];
  const view = recordBatch([{ partition, base: 0, records }], decoderFor(decode));
  expect(compileViewCondition('has(value.a) || value == "{\\"a\\":\\"b\\"}"', decode)(view, 0)).toBe(decode === 'text');
});
