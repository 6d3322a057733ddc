import { DocumentWriter, type DocumentSettings } from '../../../connectors/solr/document-writer.ts';
import { KeyIds, RecordIds } from '../../../connectors/solr/ids.ts';
import { UpdateBody } from '../../../connectors/solr/update-body.ts';
import { recordBatch, type TestRecord } from '../../../src/testing/batches.ts';

const partition = { topic: 'orders', partition: 3, incarnation: 'AAAAAAAA' };
const plain: DocumentSettings = {
  idField: 'id',
  fields: new Map(),
  nested: 'refuse',
  isUpdate: false,
  operators: new Set(),
  versionField: null,
  takesVersion: false,
  version: null,
  expected: null,
};

interface Made {
  readonly body: string;
  readonly refused: readonly { index: number; says: string }[];
  readonly apart: number;
}

function made(
  records: readonly (string | TestRecord)[],
  settings: Partial<DocumentSettings> & { keyed?: boolean } = {},
): Made {
  const { keyed = false, ...rest } = settings;
  const documents = new DocumentWriter({ ...plain, ...rest });
  const ids = keyed ? new KeyIds() : new RecordIds();
  const body = new UpdateBody({ ids, documents, deletes: keyed, deletesApart: keyed && rest.version != null });
  const list = records.map((record) => (typeof record === 'string' ? { value: record } : record));
  const batch = recordBatch([{ partition, base: 7, records: list }]);
  for (let index = 0; index < batch.count; index++) body.records.push(index);
  body.fill(batch);
  const refused = body.refused.map(({ index, error }) => ({ index, says: `${error.code} ${error.message}` }));
  return { body: body.bytes.toString(), refused, apart: body.deletions.count };
}

const only = (value: string, settings: Partial<DocumentSettings> = {}): unknown => {
  const { body, refused } = made([value], settings);
  return refused.length > 0 ? refused[0]!.says : (JSON.parse(body) as unknown[])[0];
};
const id = 'orders+AAAAAAAA+3+7';

test('documents are their values, their ids in front', () => {
  const value = ' { "n" : 12345678901234567890.10 , "s":"a\\u00e9\\n",\n"list":[1,2], "x":null }';
  const { body, refused } = made([value, '{}', '{"a":1}']);
  expect(refused).toEqual([]);
  expect(body).toBe(
    `[{"id":"${id}" , "n" : 12345678901234567890.10 , "s":"a\\u00e9\\n",\n"list":[1,2], "x":null },{"id":"orders+AAAAAAAA+3+8" },{"id":"orders+AAAAAAAA+3+9","a":1}]`,
  );
  expect(JSON.parse(body)).toHaveLength(3);
});

test.each([
  ['"text"', 'the value is no JSON object'],
  ['[{"a":1}]', 'the value is no JSON object'],
  ['17', 'the value is no JSON object'],
  ['', 'no JSON object at byte 0'],
  ['hello', 'no JSON object at byte 0'],
  ['{"a":1} trailing', 'no JSON object at byte 8'],
  ['{"a":1,}', 'no JSON object at byte 7'],
  ["{'a':1}", 'no JSON object at byte 1'],
  ['{"a":01}', 'no JSON object'],
  ['{"a":1', 'no JSON object'],
  ['{"a":{"b":1}', 'no JSON object'],
])('%j is no document: Solr would take it, or the rest of the request, for something else', (value, says) => {
  const { body, refused } = made(['{"n":1}', value, '{"n":2}']);
  expect(refused).toEqual([{ index: 1, says: expect.stringContaining(says) as string }]);
  expect(refused[0]!.says).toMatch(/^DECODE_INVALID /);
  expect(JSON.parse(body)).toMatchObject([{ n: 1 }, { n: 2 }]);
});

test('a value of bytes that are no UTF-8, and none at all', () => {
  const { refused } = made([{ value: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }, { value: null }]);
  expect(refused.map(({ says }) => says.split(' ')[0])).toEqual(['DECODE_INVALID', 'DECODE_INVALID']);
});

test.each(['_version_', '_root_', '_nest_path_', '_childDocuments_', '\\u005fversion_'])(
  'a record cannot speak to Solr by `%s`',
  (name) => {
    expect(only(`{"${name}":1}`)).toMatch(/SINK_REJECTED .*belongs to Solr/);
    expect(only('{"a":1}', { fields: new Map([['a', JSON.parse(`"${name}"`) as string]]) })).toMatch(/belongs to Solr/);
  },
);

test('nor name another document, or give an operator', () => {
  expect(only('{"id":"other"}')).toMatch(/SINK_REJECTED .*`id` is not the id that the document gets/);
  expect(only('{"\\u0069d":"other"}')).toMatch(/is not the id/);
  expect(only(`{"a":1,"id":"${id}"}`)).toEqual({ id, a: 1 });
  expect(only('{"amount":{"inc":5}}')).toMatch(/holds an object/);
  expect(only('{"amount":[{"inc":5}]}')).toMatch(/holds an object/);
  expect(only('{"amount":[1,{"inc":5}]}')).toMatch(/holds an object/);
});

test('fields of other names, and none', () => {
  const fields = new Map<string, string | false>([
    ['id', 'order_id'],
    ['secret', false],
    ['ä"', 'a_s'],
  ]);
  expect(only('{"id":9007199254740993,"secret":{"x":1},"ä\\"":"v","_text":1}', { fields })).toEqual({
    id,
    order_id: Number('9007199254740993'),
    a_s: 'v',
    _text: 1,
  });
  expect(made(['{"id":9007199254740993}'], { fields }).body).toContain('"order_id":9007199254740993');
});

test('objects flattened, as text, as children', () => {
  const value = '{"a":1,"customer":{"name":"Ada","place":{"city":"x"}},"tags":["q"]}';
  expect(only(value, { nested: 'flatten' })).toEqual({
    id,
    a: 1,
    'customer.name': 'Ada',
    'customer.place.city': 'x',
    tags: ['q'],
  });
  expect(only('{"items":[{"n":1}]}', { nested: 'flatten' })).toMatch(/list of objects/);
  expect(only('{"items":[{"n":1.50}]}', { nested: 'json' })).toEqual({ id, items: '[{"n":1.50}]' });
  const items = '{"items":[{"id":"own","n":1},{"n":2,"deep":{"x":[]}}],"one":{}}';
  expect(only(items, { nested: 'children' })).toEqual({
    id,
    items: [
      { id: 'own', n: 1 },
      { id: `${id}/items#1`, n: 2, deep: { id: `${id}/items#1/deep`, x: [] } },
    ],
    one: { id: `${id}/one` },
  });
  expect(only('{"items":[{"n":1},2]}', { nested: 'children' })).toMatch(/mixes objects with other values/);
  expect(only('{"items":{"id":[1]}}', { nested: 'children' })).toMatch(/neither text nor a number/);
  expect(only('{"items":{"_root_":"x"}}', { nested: 'children' })).toMatch(/belongs to Solr/);
  expect(only(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`, { nested: 'children' })).toMatch(/deeper than 16/);
});

test('keyed: commands under the keys, deletions among them', () => {
  const { body, refused } = made(
    [
      { key: 'k"1', value: '{"a":1}' },
      { key: 'k2', value: null },
      { key: 'k"1', value: '{}' },
      { key: null, value: '{}' },
      { key: Buffer.from([0xff]), value: '{}' },
      { key: '7', value: '{"id":7}' },
      { key: 'x'.repeat(32_767), value: null },
    ],
    { keyed: true },
  );
  expect(body).toBe(
    '{"add":{"doc":{"id":"k\\"1","a":1}},"delete":{"id":"k2"},"add":{"doc":{"id":"k\\"1" }},"add":{"doc":{"id":"7"}}}',
  );
  expect(refused.map(({ index, says }) => [index, says.slice(says.indexOf(':') + 2)])).toEqual([
    [3, 'the record has no key'],
    [4, 'the key is no UTF-8'],
    [6, 'the key has 32767 bytes, and terms at most 32766'],
  ]);
});

test('updates set what a record has, by operators only if they are allowed', () => {
  const update = { keyed: true, isUpdate: true, operators: new Set(['add-distinct']) };
  const { body, refused } = made(
    [
      { key: 'k', value: '{"a":1,"b":null,"c":[1],"d":{"add-distinct":"q"}}' },
      { key: 'k', value: '{"d":{"inc":1}}' },
      { key: 'k', value: '{"d":{"add-distinct":{"x":1}}}' },
      { key: 'k', value: '{"d":{"add-distinct":1,"set":2}}' },
    ],
    update,
  );
  expect(body).toBe(
    '{"add":{"doc":{"id":"k","a":{"set":1},"b":{"set":null},"c":{"set":[1]},"d":{"add-distinct":"q"}}}}',
  );
  expect(refused.map(({ index }) => index)).toEqual([1, 2, 3]);
});

test('versions of ours stand in their field, whatever the value has there; deletions go apart', () => {
  const version = { of: 'offset' as const, field: 'version_l' };
  const settings = { keyed: true, version, versionField: 'version_l' };
  const { body, apart } = made(
    [
      { key: 'k', value: '{"a":1,"version_l":99}' },
      { key: 'k', value: null },
    ],
    settings,
  );
  expect(body).toBe('{"add":{"doc":{"id":"k","version_l":7,"a":1}}}');
  expect(apart).toBe(1);
  const byTime = made([{ key: 'k', value: '{}', timestamp: 1234 }], {
    ...settings,
    version: { ...version, of: 'timestamp' },
  });
  expect(byTime.body).toContain('"version_l":1234');
});

test('what is expected of the document that is there', () => {
  expect(only('{"a":1}', { expected: -1 })).toEqual({ id, _version_: -1, a: 1 });
  expect(only('{"a":1,"_version_":12}', { takesVersion: true })).toEqual({ id, _version_: 12, a: 1 });
  expect(only('{"a":1,"_version_":"1883086722384789504"}', { takesVersion: true })).toMatchObject({
    _version_: '1883086722384789504',
  });
  for (const value of ['{"a":1}', '{"_version_":1.5}', '{"_version_":{"set":1}}', '{"_version_":null}'])
    expect(only(value, { takesVersion: true })).toMatch(/`_version_`/);
});
