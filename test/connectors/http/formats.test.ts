import { gzipSync, zstdCompressSync } from 'node:zlib';
import { listen, stopAll } from './support/listener.ts';

afterEach(stopAll);

const json = { 'content-type': 'application/json' };
const ndjson = { 'content-type': 'application/x-ndjson' };
const text = { 'content-type': 'text/plain; charset=utf-8' };
/** What `curl -d` sends. */
const form = { 'content-type': 'application/x-www-form-urlencoded' };

test.each([
  ['a JSON value', json, ' {"a": 1}\n', ['{"a": 1}']],
  ['a JSON array', json, '[{"n":1} , {"n":2},3]', ['{"n":1}', '{"n":2}', '3']],
  ['an empty array', json, '[]', []],
  ['JSON over lines', json, '{\n"a": [1,\n2]}', ['{\n"a": [1,\n2]}']],
  ['a type with +json', { 'content-type': 'application/cloudevents+json' }, '{"id":"1"}', ['{"id":"1"}']],
  ['NDJSON', ndjson, '{"n":1}\r\n\n{"n":2}\n[3]', ['{"n":1}', '{"n":2}', '[3]']],
  ['lines of text', text, 'one\ntwo\r\n\nthree', ['one', 'two', '', 'three']],
  ['text that looks like JSON', text, '{"a":\n[', ['{"a":', '[']],
  ['nothing', text, '', []],
  ['curl -d with an object', form, '{"hello":"world"}', ['{"hello":"world"}']],
  ['curl -d with an array', form, '[1,2]', ['1', '2']],
  ['curl --data-binary with JSON over lines', form, '{\n"a":1\n}\n', ['{\n"a":1\n}']],
  ['curl --data-binary with NDJSON', form, '{"n":1}\n{"n":2}\n', ['{"n":1}', '{"n":2}']],
  ['curl --data-binary with arrays a line', form, '[1,2]\n[3]\n', ['[1,2]', '[3]']],
  ['curl -d with a form', form, 'a=1&b=2', ['a=1&b=2']],
  ['curl --data-binary with lines', form, 'one\ntwo\n', ['one', 'two']],
  ['no type at all', {}, '{"a":1}', ['{"a":1}']],
] as const)('%s becomes its records', async (_name, headers, body, records) => {
  const { post, harness } = await listen();
  expect(await post(body, headers)).toMatchObject({ status: 200, body: { records: records.length } });
  expect(harness.values).toEqual(records);
});

test('odd but valid JSON passes byte for byte', async () => {
  const odd = [
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}}}',
    '{"twice":1,"twice":2}',
    '{"lone":"\\ud800"}',
    '{"big":9007199254740993,"long":0.1000000000000000055511151231257827}',
  ];
  const { post, harness } = await listen();
  expect((await post(`[${odd.join()}]`)).status).toBe(200);
  expect(harness.values).toEqual(odd);
});

test('lines of text need not be UTF-8', async () => {
  const { post, harness } = await listen();
  expect((await post(Buffer.from([0xff, 0x0a, 0xe4]), text)).status).toBe(200);
  expect(harness.records.map(({ value }) => [...value!])).toEqual([[0xff], [0xe4]]);
});

test.each(['json', 'ndjson', 'text'] as const)('`format: %s` goes before the Content-Type', async (format) => {
  const { post, harness } = await listen({ format });
  expect((await post('[1,2]', { 'content-type': 'image/png' })).status).toBe(200);
  expect(harness.values).toEqual(format === 'json' ? ['1', '2'] : ['[1,2]']);
});

test.each(['application/xml', 'multipart/form-data; boundary=x', 'application/x-protobuf'])(
  'the type %s gets 415 with those that are known',
  async (type) => {
    const { post, harness } = await listen();
    const answer = await post('<a/>', { 'content-type': type });
    expect(answer).toMatchObject({
      status: 415,
      body: { error: expect.stringContaining('application/json') as string },
    });
    expect(harness.emits).toEqual([]);
  },
);

test.each([
  ['a value that ends early', json, '{"a":1', 400, { code: 'DECODE_INVALID', line: 1, column: 7, byte: 6 }],
  ['a bad element', json, '[{"a":1},\n {"b":}]', 400, { code: 'DECODE_INVALID', line: 2, column: 7, byte: 16 }],
  ['a bad line', ndjson, '{"n":1}\n{"n":2\n{"n":3}\n', 400, { code: 'DECODE_INVALID', line: 2, column: 7, byte: 14 }],
  ['no JSON at all', json, '', 400, { code: 'DECODE_INVALID', line: 1, column: 1, byte: 0 }],
  ['JSON that is no UTF-8', json, Buffer.from('22ff22', 'hex'), 400, { code: 'DECODE_INVALID', column: 2 }],
  ['depth 65', json, `${'['.repeat(65)}${']'.repeat(65)}`, 400, { code: 'DECODE_DEPTH', column: 65 }],
  ['depth 10^6', json, '['.repeat(1_000_000), 400, { code: 'DECODE_DEPTH', column: 65 }],
  ['too many keys', json, `[1,${keys(1001)}]`, 400, { code: 'DECODE_KEYS', line: 1 }],
  ['a large record', json, `[1,"${'x'.repeat(20_000)}"]`, 413, { code: 'RECORD_TOO_LARGE', line: 1, column: 4 }],
  ['a long line', text, `a\n${'x'.repeat(20_000)}\nb`, 413, { code: 'RECORD_TOO_LARGE', line: 2, column: 1 }],
] as const)('%s refuses the whole request and names the place', async (_name, headers, body, status, place) => {
  const { post, harness } = await listen({}, { maxRecordBytes: 16_384 });
  const answer = await post(body, headers);
  expect(answer).toMatchObject({ status, body: place });
  expect(answer.body.error).toMatch(/^line \d+, column \d+: .*; nothing of this request was taken$/);
  expect(harness.emits).toEqual([]);
  expect(harness.pool.usedBytes).toBe(0);
  expect((await post('{"good":1}')).status).toBe(200);
});

test('a guess that fails says how to name the type', async () => {
  const { post } = await listen();
  const answer = await post('[2026-11-23 12:00:00] started\n', form);
  expect(answer.body.error).toContain('or name the Content-Type');
});

test('too many records get 413', async () => {
  const { post, harness } = await listen({ max_records: 3 });
  expect((await post('[1,2,3]')).status).toBe(200);
  expect(await post('[1,2,3,4]')).toMatchObject({
    status: 413,
    body: { error: expect.stringContaining('more than 3 records') as string },
  });
  expect(harness.values).toEqual(['1', '2', '3']);
});

test('the largest request fits, whatever its records look like', async () => {
  const { post, harness } = await listen({ max_records: 50_000 }, { budgetBytes: 64 * 1024 });
  expect((await post(`[${'1,'.repeat(49_999)}1]`)).body).toEqual({ records: 50_000 });
  expect((await post(`["${'x'.repeat(1024 * 1024 - 2)}"]`)).body).toEqual({ records: 1 });
  expect((await post('one\n\n'.repeat(10_000), { ...text, 'x-a': 'b' })).body).toEqual({ records: 20_000 });
  expect(harness.count).toBe(70_001);
});

test.each([
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)('a %s body is unpacked', async (coding, compress) => {
  const { post, harness } = await listen();
  expect((await post(compress('[1,2]'), { ...json, 'content-encoding': coding })).status).toBe(200);
  expect(harness.values).toEqual(['1', '2']);
});

test.each(['br', 'deflate', 'gzip, gzip', 'compress'])('Content-Encoding %s gets 415', async (coding) => {
  const { post } = await listen();
  const answer = await post(gzipSync('1'), { ...json, 'content-encoding': coding });
  expect(answer).toMatchObject({ status: 415, headers: { 'accept-encoding': 'gzip, zstd' } });
});

test('headers that are asked for are kept with each record', async () => {
  const { post, harness } = await listen({ headers: ['X-Tenant', 'x-missing'] });
  await post(Buffer.from('[1,2]'), { ...json, 'X-TENANT': 'blue\xe4', other: 'x' });
  expect(harness.records.map(({ headers }) => headers)).toEqual([
    [['x-tenant', Buffer.from('blue\xe4', 'latin1')]],
    [['x-tenant', Buffer.from('blue\xe4', 'latin1')]],
  ]);
});

test('kept headers count against the record limit', async () => {
  const { post } = await listen({ headers: ['x-tenant'] }, { maxRecordBytes: 100 });
  const body = `"${'x'.repeat(80)}"`;
  expect((await post(body, { ...json, 'x-tenant': 'abc' })).status).toBe(200);
  expect((await post(body, { ...json, 'x-tenant': 'abcdefghijklmnop' })).status).toBe(413);
});

test('records of a request are of one connection and one moment', async () => {
  const { post, harness } = await listen();
  await post('[1,2]');
  await post('3');
  const [first, second, third] = harness.records;
  expect(first!.stream).toBe(second!.stream);
  expect(first!.timestamp).toBe(second!.timestamp);
  expect(third!.stream).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(harness.emits.map(({ count }) => count)).toEqual([2, 1]);
});

function keys(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join()}}`;
}
