import fc from 'fast-check';
import {
  KeyedActions,
  LogActions,
  type ActionWriter,
  type Version,
} from '../../../connectors/elasticsearch/action-writer.ts';
import { BulkBody } from '../../../connectors/elasticsearch/bulk-body.ts';
import { DocumentWriter } from '../../../connectors/elasticsearch/document-writer.ts';
import { RoutingMember } from '../../../connectors/elasticsearch/routing-member.ts';
import {
  UpdateActions,
  UpdateDocuments,
  type UpdateSettings,
} from '../../../connectors/elasticsearch/update-actions.ts';
import type { RecordBatch, Template } from '../../../src/api/index.ts';
import { compileExpression, compileTemplate } from '../../../src/expression/index.ts';
import { recordBatch, type TestRecord } from '../../../src/testing/index.ts';

const partition = { topic: 'orders', partition: 3, incarnation: 'AbCd_-12' };

interface BodyOptions {
  readonly mode?: 'log' | 'keyed' | 'update';
  readonly routing?: string;
  readonly update?: Partial<UpdateSettings>;
  readonly index?: string;
  readonly version?: Version;
  readonly addsTimestamp?: boolean;
  readonly maxBytes?: number;
}

function createBody(options: BodyOptions = {}): BulkBody {
  const { index = 'orders', addsTimestamp = false, maxBytes = 1 << 20 } = options;
  const template = compileTemplate(index, { confined: 'name', baseDir: '/' });
  const values = new DocumentWriter({ addsTimestamp });
  const update = { upsert: true, retry_on_conflict: 3, ...options.update };
  const documents = options.mode === 'update' ? new UpdateDocuments(values, update) : values;
  return new BulkBody({ actions: actionsOf(template, options), documents, maxBytes });
}

function actionsOf(template: Template, { mode = 'log', version = 'offset', routing }: BodyOptions): ActionWriter {
  const member = new RoutingMember(routing === undefined ? null : compileExpression(routing));
  if (mode === 'log') return new LogActions(template, member);
  return mode === 'keyed' ? new KeyedActions(template, member, version) : new UpdateActions(template, member, 3);
}

const batchOf = (records: readonly (TestRecord | string)[], base = 0): RecordBatch =>
  recordBatch([{ partition, base, records: records.map(asRecord) }]);

const asRecord = (record: TestRecord | string): TestRecord => (typeof record === 'string' ? { value: record } : record);

function fill(records: readonly (TestRecord | string)[], options: BodyOptions & { base?: number } = {}): BulkBody {
  const body = createBody(options);
  expect(body.fill(batchOf(records, options.base))).toBe(true);
  return body;
}

const reasons = (body: BulkBody): (readonly [number, string, string])[] =>
  body.refused.map(({ index, error }) => [index, error.code, error.message] as const);

test('log mode: the id is that of the record, over all runs of a batch', () => {
  const other = { ...partition, partition: 12 };
  const batch = recordBatch([
    { partition, base: 0, records: [{ value: '{"n":1}' }, { value: '{}' }] },
    { partition: other, base: 9_007_199_254_740_980, records: [{ value: '{"n":3}' }] },
    { partition, base: 109, records: [{ value: '{"n":4}' }] },
  ]);
  const body = createBody();
  expect(body.fill(batch)).toBe(true);
  expect(body.bytes.toString()).toBe(
    [
      `{"create":{"_id":"${batch.id(0)}"}}\n{"n":1}\n`,
      `{"create":{"_id":"${batch.id(1)}"}}\n{}\n`,
      `{"create":{"_id":"orders+AbCd_-12+12+9007199254740980"}}\n{"n":3}\n`,
      `{"create":{"_id":"orders+AbCd_-12+3+109"}}\n{"n":4}\n`,
    ].join(''),
  );
});

const actionsIn = (body: BulkBody): string[] =>
  body.bytes
    .toString()
    .split('\n')
    .filter((_line, at) => at % 2 === 0 && _line !== '');

test.each(['log', 'keyed'] as const)(
  '%s mode: the first index is that of the request, others stand in their actions',
  (mode) => {
    const of = (value: string): TestRecord => ({ key: 'k', value });
    const values = ['{}', '{"a":"x"}', '{"a":"y z"}', '{"a":"y"}', '{"a":"x"}'];
    const body = createBody({ mode, index: 'orders-{{ value.a }}' });
    expect(body.fill(batchOf(values.map(of)))).toBe(true);
    expect(body.index).toBe('orders-x');
    const [first, second, third] = actionsIn(body).map(
      (line) => Object.values(JSON.parse(line) as object)[0] as object,
    );
    expect([first, third]).toEqual(
      Array(2).fill(expect.not.objectContaining({ _index: expect.anything() as unknown })),
    );
    expect(second).toMatchObject({ _index: 'orders-y' });
    expect(reasons(body).map(([index, code]) => [index, code])).toEqual([
      [0, 'EXPRESSION_FAILED'],
      [2, 'TEMPLATE_ESCAPED'],
    ]);
    expect([body.recordOf(0), body.recordOf(1), body.recordOf(2)]).toEqual([1, 3, 4]);
    expect(body.fill(batchOf([of('{"a":"z"}')]))).toBe(true);
    expect(body.index).toBe('orders-z');
    expect(actionsIn(body)[0]).not.toContain('_index');
  },
);

test('a name that may have a request refused as a whole never becomes that of the request', () => {
  const body = fill(['{"a":"X"}', '{"a":"x"}'], { index: 'orders-{{ value.a }}' });
  expect(body.index).toBeNull();
  expect(actionsIn(body)).toEqual([
    '{"create":{"_index":"orders-X","_id":"orders+AbCd_-12+3+0"}}',
    '{"create":{"_index":"orders-x","_id":"orders+AbCd_-12+3+1"}}',
  ]);
});

test('what is no JSON object in one line is refused alone', () => {
  const values = [
    '{"good":1}',
    '[1]',
    '"text"',
    'null',
    '12',
    '',
    '   ',
    '{"a":1',
    '{"a":1}{"b":2}',
    '{a:1}',
    '{"a":"\n"}',
    '{"a":1}\n{"delete":{"_id":"victim"}}\n{"b":1}',
    '{"a":1} {"delete":{"_id":"victim"}}',
  ];
  const records = [...values, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])].map((value) => ({ value }));
  const body = fill([...records, { value: null }]);
  expect(body.bytes.toString()).toBe('{"create":{"_id":"orders+AbCd_-12+3+0"}}\n{"good":1}\n');
  expect(body.refused.map(({ index }) => index)).toEqual(Array.from({ length: 14 }, (_, at) => at + 1));
  expect(new Set(body.refused.map(({ error }) => error.code))).toEqual(new Set(['DECODE_INVALID']));
  expect(new Set(body.refused.map(({ disposition }) => disposition))).toEqual(new Set(['reject']));
});

test('pretty-printed JSON becomes one line', () => {
  const body = fill([JSON.stringify({ a: [1, { b: 'x\ny' }] }, null, 2).replaceAll('\n', '\r\n')]);
  const [, line] = body.bytes.toString().split('\n');
  expect(JSON.parse(line!)).toEqual({ a: [1, { b: 'x\ny' }] });
  expect(body.bytes.toString().match(/\n/g)).toHaveLength(2);
});

test('whatever is in a record, it makes at most one action and one document', () => {
  const value = fc.oneof(
    fc.json().map((text) => `{"x":${text}}`),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('{"a":1}\n{"delete":{}}', '{"a":1}\r{"x":1}', '{"create":{}}\n'),
  );
  const record = fc.record({ value, key: fc.option(fc.string({ unit: 'binary' })) });
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('log' as const, 'keyed' as const),
      (records, mode) => {
        const body = fill(records, { mode });
        const lines = body.bytes.toString().split('\n');
        expect(lines.pop()).toBe('');
        expect(lines).toHaveLength(2 * body.count);
        expect(body.count + body.refused.length).toBe(records.length);
        for (const [at, line] of lines.entries()) {
          const parsed = JSON.parse(line) as Record<string, { _id: string }>;
          const record = records[body.recordOf(at >> 1)]!;
          if (at % 2 === 1) expect(parsed).toEqual(JSON.parse(record.value));
          else if (mode === 'keyed') expect(parsed.index!._id).toBe(Buffer.from(record.key!).toString());
        }
      },
    ),
  );
});

test('keyed mode: the key is the id, the offset the version, no value deletes', () => {
  const records = [
    { key: 'k1', value: '{"n":1}' },
    { key: 'a "quoted"\n\\ key', value: '{"n":2}' },
    { key: 'ключ', value: null },
  ];
  expect(fill(records, { mode: 'keyed', base: 7 }).bytes.toString()).toBe(
    [
      '{"index":{"_id":"k1","version":7,"version_type":"external"}}\n{"n":1}\n',
      '{"index":{"_id":"a \\"quoted\\"\\n\\\\ key","version":8,"version_type":"external"}}\n{"n":2}\n',
      '{"delete":{"_id":"ключ","version":9,"version_type":"external"}}\n',
    ].join(''),
  );
});

test('keyed mode: a record without a proper key is refused alone', () => {
  const value = '{}';
  const body = fill(
    [
      { value },
      { key: '', value },
      { key: 'x'.repeat(513), value },
      { key: Buffer.from([0xff]), value },
      { key: 'x'.repeat(512), value },
    ],
    { mode: 'keyed' },
  );
  expect(body.count).toBe(1);
  expect(reasons(body)).toEqual([
    [0, 'SINK_REJECTED', 'naming a document: the record has no key'],
    [1, 'SINK_REJECTED', 'naming a document: the record has no key'],
    [2, 'SINK_REJECTED', 'naming a document: the key has 513 bytes, and ids at most 512'],
    [3, 'SINK_REJECTED', 'naming a document: the key is no UTF-8'],
  ]);
});

test('keyed mode: versions from the time and from fields', () => {
  const versions = (version: Version, records: readonly TestRecord[]): (string | undefined)[] =>
    [
      ...fill(records, { mode: 'keyed', version })
        .bytes.toString()
        .matchAll(/"version":(\d+),"version_type":"external_gte"/g),
    ].map(([, number]) => number);
  const time = Date.UTC(2026, 1, 1);
  const record = { key: 'k', value: '{"rev":12,"at":"2026-02-01T00:00:00Z"}', timestamp: time };
  expect(versions('timestamp', [record, { ...record, value: null }])).toEqual([`${time}`, `${time}`]);
  expect(versions(compileExpression('value.rev'), [record])).toEqual(['12']);
  expect(versions(compileExpression('timestamp(value.at)'), [record])).toEqual([`${time}`]);
  const bad = ['{"rev":-1}', '{"rev":1.5}', '{"rev":"x"}', '{}', '{"rev":1e300}'].map((value) => ({ key: 'k', value }));
  const body = fill(bad, { mode: 'keyed', version: compileExpression('value.rev') });
  expect(body.count).toBe(0);
  expect(new Set(body.refused.map(({ error }) => error.code))).toEqual(new Set(['SINK_REJECTED', 'EXPRESSION_FAILED']));
});

test('data streams: documents without @timestamp get the time of their record', () => {
  const timestamp = Date.UTC(2026, 10, 25, 17, 3, 9, 7);
  const own = [
    '{"@timestamp":1}',
    '{ "a" : { "@timestamp" : 2 } , "@timestamp":null}',
    '{"\\u0040timestamp":3}',
    '{"a":"\\"@timestamp\\":","@timestamp":"x"}',
  ];
  const none = ['{}', ' { } ', '{"a":{"@timestamp":1}}', '{"a":"@timestamp"}', '{"@timestampx":1,"b":[1,2]}'];
  const body = fill(
    [...own, ...none].map((value) => ({ value, timestamp })),
    { addsTimestamp: true },
  );
  const documents = body.bytes
    .toString()
    .split('\n')
    .filter((_line, at) => at % 2 === 1);
  expect(documents.slice(0, own.length)).toEqual(own);
  const expected = none.map((text) => ({ '@timestamp': '2026-11-25T17:03:09.007Z', ...(JSON.parse(text) as object) }));
  expect(documents.slice(own.length).map((text) => JSON.parse(text) as object)).toEqual(expected);
  const undated = fill(
    [253_402_300_800_000, 0].map((time) => ({ value: '{}', timestamp: time })),
    { addsTimestamp: true },
  );
  expect(reasons(undated).map(([index, code]) => [index, code])).toEqual([[0, 'SINK_REJECTED']]);
});

test('a batch that is too large for a request is said to be, one record alone too', () => {
  const body = createBody({ maxBytes: 1000 });
  const long = `{"x":"${'x'.repeat(600)}"}`;
  expect(body.fill(batchOf([long]))).toBe(true);
  expect(body.fill(batchOf([long, long]))).toBe(false);
  expect(body.fill(batchOf([`{"x":"${'x'.repeat(1000)}"}`]))).toBe(false);
  expect(body.fill(batchOf([long]))).toBe(true);
  expect(body.bytes.length).toBeLessThan(1000);
});

test('a body is used again, and its bytes grow with what it has to hold', () => {
  const body = createBody({ maxBytes: 1 << 24 });
  const values = Array.from({ length: 3000 }, (_, n) => JSON.stringify({ n, text: 'x'.repeat(n % 300) }));
  for (const count of [3000, 1, 2999]) {
    expect(body.fill(batchOf(values.slice(0, count)))).toBe(true);
    expect(body.count).toBe(count);
    const documents = body.bytes
      .toString()
      .split('\n')
      .filter((_line, at) => at % 2 === 1);
    expect(documents).toEqual(values.slice(0, count));
  }
});

describe('update mode', () => {
  const lines = (records: readonly (TestRecord | string)[], options: BodyOptions = {}): string[] =>
    fill(records, { mode: 'update', ...options })
      .bytes.toString()
      .trimEnd()
      .split('\n');

  test('the value is merged into the document of the key, and none deletes it', () => {
    expect(
      lines([
        { key: 'a"', value: ' {"n":1}' },
        { key: 'b', value: null },
      ]),
    ).toEqual([
      '{"update":{"_id":"a\\"","retry_on_conflict":3}}',
      '{"doc": {"n":1},"doc_as_upsert":true}',
      '{"delete":{"_id":"b"}}',
    ]);
  });

  test('only where there is one already', () => {
    expect(lines([{ key: 'a', value: '{}' }], { update: { upsert: false } })[1]).toBe('{"doc":{}}');
  });

  test('a script gets the value as a parameter, with text of its own in quotes', () => {
    const script = 'ctx._source.n += params.record["0}"]';
    const [, line] = lines([{ key: 'a', value: '{"0}":1}' }], { update: { script } });
    expect(JSON.parse(line!)).toEqual({
      script: { lang: 'painless', source: script, params: { record: { '0}': 1 } } },
      scripted_upsert: true,
      upsert: {},
    });
    const [, stored] = lines([{ key: 'a', value: '{}' }], { update: { script_id: 'count', upsert: false } });
    expect(JSON.parse(stored!)).toEqual({ script: { id: 'count', params: { record: {} } } });
  });

  test('nothing in a value can end its line, and what is no object is refused', () => {
    const body = fill(
      [
        { key: 'a', value: '{"n":1},"doc_as_upsert":false}' },
        { key: 'b', value: '[1]' },
      ],
      {
        mode: 'update',
      },
    );
    expect(body.count).toBe(0);
    expect(reasons(body).map(([, code]) => code)).toEqual(['DECODE_INVALID', 'DECODE_INVALID']);
  });
});

test.each(['log', 'keyed', 'update'] as const)('routing in %s mode, of texts and numbers', (mode) => {
  const records = [
    { key: 'a', value: '{"r":"x\\"y"}' },
    { key: 'b', value: '{"r":7}' },
    { key: 'c', value: '{"r":""}' },
    { key: 'd', value: '{"r":{}}' },
  ];
  const body = fill(records, { mode, routing: 'value.r' });
  const actions = body.bytes
    .toString()
    .trimEnd()
    .split('\n')
    .filter((_, line) => line % 2 === 0);
  expect(actions.map((line) => (Object.values(JSON.parse(line) as object)[0] as { routing: string }).routing)).toEqual([
    'x"y',
    '7',
  ]);
  expect(reasons(body).map(([index, code]) => [index, code])).toEqual([
    [2, 'SINK_REJECTED'],
    [3, 'SINK_REJECTED'],
  ]);
});
