import { Client, errors } from '@elastic/elasticsearch';
import { gzipSync } from 'node:zlib';
import { SluiceError } from '../../../src/api/index.ts';
import { listen, stopAll, type Listening } from './support/listener.ts';

afterEach(stopAll);

const ndjson = { 'content-type': 'application/x-ndjson' };

const elasticsearch = (
  options: Parameters<typeof listen>[0] = {},
  harnessOptions: Parameters<typeof listen>[1] = {},
): Promise<Listening> => listen({ format: 'elasticsearch_bulk', ...options }, harnessOptions);

const clients: Client[] = [];
function clientOf({ port }: Listening, options: object = {}): Client {
  const client = new Client({ node: `http://127.0.0.1:${port}`, maxRetries: 0, ...options });
  clients.push(client);
  return client;
}
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

function headersOf({ harness }: Listening, index: number): Record<string, string> {
  return Object.fromEntries(harness.records[index]!.headers.map(([name, value]) => [name, value!.toString()]));
}

function bulk(
  { ask }: Listening,
  lines: readonly string[],
  path = '/_bulk',
  headers = ndjson,
): ReturnType<Listening['ask']> {
  return ask({ method: 'POST', path, headers }, lines.map((line) => `${line}\n`).join(''));
}

describe("Elasticsearch's own client", () => {
  test('info, health and a bulk request with all operations', async () => {
    const listening = await elasticsearch();
    const client = clientOf(listening);
    expect(await client.info()).toMatchObject({ version: { number: '8.19.2' }, tagline: 'You Know, for Search' });
    expect(await client.ping()).toBe(true);
    expect(await client.cluster.health()).toMatchObject({ status: 'green' });
    const answer = await client.bulk({
      index: 'orders',
      operations: [
        { index: {} },
        { n: 1 },
        { create: { _index: 'other', _id: 'a', routing: 'r' } },
        { n: 2 },
        { update: { _id: 'b' } },
        { doc: { n: 3 }, doc_as_upsert: true },
        { delete: { _id: 'c' } },
      ],
    });
    expect(answer.errors).toBe(false);
    expect(answer.items).toMatchObject([
      { index: { _index: 'orders', _id: expect.stringMatching(/^[\w-]+$/) as string, status: 201, result: 'created' } },
      { create: { _index: 'other', _id: 'a', status: 201, _shards: { successful: 1 } } },
      { update: { _index: 'orders', _id: 'b', status: 200, result: 'updated' } },
      { delete: { _index: 'orders', _id: 'c', status: 200, result: 'deleted' } },
    ]);
    const { records } = listening.harness;
    expect(records.map(({ key }) => key?.toString())).toEqual([undefined, 'a', 'b', 'c']);
    expect(records.map(({ value }) => value?.toString())).toEqual([
      '{"n":1}',
      '{"n":2}',
      '{"doc":{"n":3},"doc_as_upsert":true}',
      undefined,
    ]);
    expect([0, 1, 2, 3].map((index) => headersOf(listening, index))).toEqual([
      { es_op: 'index', es_index: 'orders' },
      { es_op: 'create', es_index: 'other', es_id: 'a', es_routing: 'r' },
      { es_op: 'update', es_index: 'orders', es_id: 'b' },
      { es_op: 'delete', es_index: 'orders', es_id: 'c' },
    ]);
  });

  test('helpers.bulk, compressed, with a refresh at the end: each document once and in order', async () => {
    const listening = await elasticsearch();
    const documents = Array.from({ length: 3000 }, (_each, n) => ({ n, text: 'x'.repeat(100) }));
    const stats = await clientOf(listening, { compression: true }).helpers.bulk({
      datasource: documents,
      onDocument: () => ({ index: { _index: 'logs' } }),
      flushBytes: 50_000,
      concurrency: 1,
      refreshOnCompletion: 'logs',
    });
    expect(stats).toMatchObject({ total: 3000, successful: 3000, failed: 0 });
    expect(listening.harness.values).toEqual(documents.map((document) => JSON.stringify(document)));
  });

  test('helpers.bulk drops what is broken, and fails, dropping nothing, while the topic takes no input', async () => {
    const listening = await elasticsearch({}, { maxRecordBytes: 1000 });
    const dropped: unknown[] = [];
    const send = (datasource: object[]): Promise<object> =>
      clientOf(listening).helpers.bulk({
        datasource,
        onDocument: () => ({ create: { _index: 'logs' } }),
        retries: 0,
        onDrop: ({ status, error }) => dropped.push([status, error?.type]),
      });
    expect(await send([{ n: 1 }, { text: 'x'.repeat(2000) }, { n: 2 }])).toMatchObject({ successful: 2, failed: 1 });
    expect(dropped).toEqual([[400, 'illegal_argument_exception']]);
    listening.harness.accepting = false;
    await expect(send([{ n: 3 }])).rejects.toMatchObject({ statusCode: 429 });
    listening.harness.accepting = true;
    await send([{ n: 3 }]);
    expect(listening.harness.values).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
  });

  test('single documents', async () => {
    const listening = await elasticsearch();
    const client = clientOf(listening);
    expect(await client.index({ index: 'i', id: '1', document: { n: 1 } })).toMatchObject({
      _index: 'i',
      _id: '1',
      result: 'created',
    });
    expect(await client.index({ index: 'i', document: { n: 2 } })).toMatchObject({ result: 'created' });
    expect(await client.create({ index: 'i', id: 'ü/1', document: { n: 3 } })).toMatchObject({ _id: 'ü/1' });
    expect(await client.update({ index: 'i', id: '4', doc: { n: 4 } })).toMatchObject({ result: 'updated' });
    expect(await client.delete({ index: 'i', id: '5' })).toMatchObject({ result: 'deleted' });
    expect(listening.harness.records.map(({ key, value }) => [key?.toString(), value?.toString()])).toEqual([
      ['1', '{"n":1}'],
      [undefined, '{"n":2}'],
      ['ü/1', '{"n":3}'],
      ['4', '{"doc":{"n":4}}'],
      ['5', undefined],
    ]);
  });

  test('errors are those of Elasticsearch', async () => {
    const listening = await elasticsearch({ auth: { bearer: 'right' } });
    const wrong = clientOf(listening, { auth: { bearer: 'wrong' } });
    await expect(wrong.info()).rejects.toThrow('security_exception');
    const right = clientOf(listening, { auth: { bearer: 'right' } });
    await expect(right.search({ index: 'i' })).rejects.toThrow('no handler found for uri');
    listening.harness.refuseNext(new SluiceError('LOG_FULL', 'writing', { retryable: true }));
    const failed = right.index({ index: 'i', document: {} });
    await expect(failed).rejects.toBeInstanceOf(errors.ResponseError);
    await expect(failed).rejects.toMatchObject({ statusCode: 503 });
  });
});

test.each([
  ['GET', '/', { tagline: 'You Know, for Search' }],
  ['GET', '/_license', { license: { status: 'active', type: 'basic' } }],
  ['GET', '/_xpack', { license: { mode: 'basic' }, features: { ilm: { available: true, enabled: true } } }],
  ['GET', '/_xpack/license', { license: { status: 'active' } }],
  ['GET', '/_cluster/health', { status: 'green' }],
  [
    'GET',
    '/_nodes/http',
    { nodes: { sluice: { http: { publish_address: expect.stringMatching(/^127/) as string } } } },
  ],
  ['GET', '/_index_template/filebeat-8.19.2', { 'filebeat-8.19.2': {} }],
  ['PUT', '/_index_template/filebeat-8.19.2', { acknowledged: true }],
  ['GET', '/_ilm/policy/filebeat', { filebeat: {} }],
  ['PUT', '/_ilm/policy/logstash-policy', { acknowledged: true }],
  ['GET', '/_data_stream/filebeat-8.19.2', {}],
  ['PUT', '/_ingest/pipeline/filebeat-8.19.2-nginx', { acknowledged: true }],
  ['PUT', '/logs', { acknowledged: true, index: 'logs' }],
  ['POST', '/logs/_refresh', { _shards: { failed: 0 } }],
])('what senders ask at their start: %s %s', async (method, path, body) => {
  const { ask, harness } = await elasticsearch();
  const answer = await ask({ method, path, headers: method === 'GET' ? {} : { 'content-type': 'application/json' } });
  expect(answer).toMatchObject({ status: 200, headers: { 'x-elastic-product': 'Elasticsearch' }, body });
  expect(harness.emits).toEqual([]);
});

test.each(['/', '/_template/logstash', '/_index_template/ecs-logstash', '/logstash', '/_license'])(
  'HEAD %s: it is there',
  async (path) => {
    const { ask } = await elasticsearch();
    expect(await ask({ method: 'HEAD', path })).toMatchObject({ status: 200, body: {} });
  },
);

/** As they were seen on the wire: who sends them, the path, further headers, the lines. */
const senders = [
  ['Fluent Bit', '/_bulk', ndjson, '{"create":{"_index":"fluent-bit","_type":"_doc"}}'],
  ['Fluent Bit without types', '/_bulk/?', ndjson, '{"create":{"_index":"fluent-bit"}}'],
  [
    'Filebeat',
    '/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status',
    { 'content-type': 'application/vnd.elasticsearch+x-ndjson; compatible-with=8' },
    '{"create":{"_index":"filebeat-8.19.2"}}',
  ],
  [
    'Filebeat 7',
    '/_bulk',
    { 'content-type': 'application/json; charset=UTF-8' },
    '{"index":{"_index":"filebeat-7.17.0-2026.01.31","_type":"_doc"}}',
  ],
  [
    'Logstash',
    '/_bulk?filter_path=errors,items.*.error,items.*.status',
    { 'content-type': 'application/json' },
    '{"index":{"_id":null,"_index":"ecs-logstash","routing":null}}',
  ],
  ['Vector', '/_bulk?timeout=60s', ndjson, '{"create":{"_index":"vector-2026.01.31","_type":"_doc"}}'],
  [
    'rsyslog',
    '/_bulk',
    { 'content-type': 'application/json; charset=utf-8' },
    '{"index":{"_index": "system","_type":"events"}}',
  ],
] as const;

test.each(senders)('%s', async (_sender, path, headers, action) => {
  const listening = await elasticsearch();
  const { index, create } = JSON.parse(action) as Record<string, { _index: string } | undefined>;
  const lines = [action, '{"@timestamp":"2026-01-31T12:00:00.000Z","message":"one"}', action, '{"message":"two"}'];
  const body = lines.map((line) => `${line}\n`).join('');
  for (const [coding, sent] of [
    ['identity', Buffer.from(body)],
    ['gzip', gzipSync(body)],
  ] as const) {
    const answer = await listening.ask(
      { method: 'POST', path, headers: { ...headers, 'content-encoding': coding } },
      sent,
    );
    expect(answer).toMatchObject({ status: 200, body: { errors: false } });
    const isFiltered = path.includes('filter_path');
    const operation = create === undefined ? 'index' : 'create';
    const items = answer.body.items as Record<string, object>[];
    expect(items).toHaveLength(2);
    if (isFiltered)
      expect(answer.body).toEqual({
        errors: false,
        items: [{ [operation]: { status: 201 } }, { [operation]: { status: 201 } }],
      });
  }
  expect(listening.harness.values).toEqual([lines[1], lines[3], lines[1], lines[3]]);
  expect(headersOf(listening, 0)).toEqual({
    es_op: create === undefined ? 'index' : 'create',
    es_index: (create ?? index)!._index,
  });
});

test('what is wrong with one document is told for it, the others are taken', async () => {
  const listening = await elasticsearch();
  const many = `{${Array.from({ length: 1001 }, (_each, n) => `"${n}":1`).join()}}`;
  const answer = await bulk(listening, [
    '{"index":{"_index":"good"}}',
    '{"n":1}',
    '{"index":{"_index":"good"}}',
    '{"n":',
    '{"index":{"_index":"good","_id":"x"}}',
    '[1]',
    '{"index":{"_index":"Bad"}}',
    '{}',
    '{"index":{"_index":"../etc"}}',
    '{}',
    '{"index":{}}',
    '{}',
    '{"index":{"_index":"good"}}',
    `${'['.repeat(65)}${']'.repeat(65)}`,
    '{"index":{"_index":"good"}}',
    many,
    `{"index":{"_index":"good","_id":"${'x'.repeat(513)}"}}`,
    '{}',
    '{"delete":{"_index":"good"}}',
    '{"create":{"_index":"good"}}',
    '{"n":2}\r',
  ]);
  expect(answer).toMatchObject({ status: 200, body: { errors: true } });
  const items = (answer.body.items as Record<string, { status: number; error?: { type: string } }>[]).map(
    (item) => Object.values(item)[0]!,
  );
  expect(items.map(({ status, error }) => [status, error?.type])).toEqual([
    [201, undefined],
    [400, 'document_parsing_exception'],
    [400, 'document_parsing_exception'],
    [400, 'invalid_index_name_exception'],
    [400, 'invalid_index_name_exception'],
    [400, 'action_request_validation_exception'],
    [400, 'document_parsing_exception'],
    [400, 'document_parsing_exception'],
    [400, 'illegal_argument_exception'],
    [400, 'action_request_validation_exception'],
    [201, undefined],
  ]);
  expect(items[2]).toMatchObject({ _index: 'good', _id: 'x' });
  expect(listening.harness.values).toEqual(['{"n":1}', '{"n":2}']);
});

test('a document that is not UTF-8 is refused alone', async () => {
  const listening = await elasticsearch();
  const body = Buffer.concat([
    Buffer.from('{"index":{"_index":"i"}}\n{"a":"'),
    Buffer.from([0xff]),
    Buffer.from('"}\n{"index":{"_index":"i"}}\n{"a":"ü"}\n'),
  ]);
  const answer = await listening.ask({ method: 'POST', path: '/_bulk', headers: ndjson }, body);
  expect(answer.body.items).toMatchObject([{ index: { status: 400 } }, { index: { status: 201 } }]);
  expect(listening.harness.values).toEqual(['{"a":"ü"}']);
});

test.each([
  ['nothing', '', 'request body is required'],
  ['no line feed at the end', '{"index":{"_index":"i"}}\n{}', 'must be terminated by a newline'],
  ['an action without its document', '{"index":{"_index":"i"}}\n', 'no document behind it'],
  ['no JSON', 'x\n{}\n', 'Malformed action/metadata line [1]'],
  ['another operation', '{"upsert":{}}\n{}\n', 'but found [upsert]'],
  ['two operations', '{"index":{},"create":{}}\n{}\n', 'expected one action'],
  ['an action that is an array', '[]\n{}\n', 'expected START_OBJECT but found [START_ARRAY]'],
  [
    'a parameter that is unknown',
    '{"index":{"_index":"i"}}\n{}\n{"index":{"_parent":"i"}}\n{}\n',
    'line [3] contains an unknown parameter [_parent]',
  ],
  ['an id that is an object', '{"index":{"_id":{}}}\n{}\n', 'found [START_OBJECT]'],
  ['something behind an action', '{"index":{}}{}\n{}\n', 'nothing behind the action'],
  ['depth', `{"index":{"_id":${'['.repeat(1000)}\n{}\n`, 'nested deeper'],
])('%s refuses the whole request', async (_name, body, reason) => {
  const listening = await elasticsearch();
  const answer = await listening.ask({ method: 'POST', path: '/i/_bulk', headers: ndjson }, body);
  expect(answer).toMatchObject({
    status: 400,
    headers: { 'x-elastic-product': 'Elasticsearch' },
    body: { status: 400, error: { reason: expect.stringContaining(reason) as string, root_cause: [{}] } },
  });
  expect(listening.harness.emits).toEqual([]);
  expect(listening.harness.pool.usedBytes).toBe(0);
});

test('parameters of the request and of actions become headers; the filter goes by fields', async () => {
  const listening = await elasticsearch({ path: '/es/', headers: ['X-Tenant'] });
  const headers = { ...ndjson, 'x-tenant': 'acme' };
  const lines = [
    '{"index":{"_id":"1","version":7,"version_type":"external"}}',
    '{}',
    '{"index":{"pipeline":"own"}}',
    '{}',
  ];
  const path = '/es/logs-app/_bulk?pipeline=all&routing=r&filter_path=items.*._id,-items.*.status';
  const answer = await bulk(listening, lines, path, headers);
  expect(answer.body).toEqual({
    items: [{ index: { _id: '1' } }, { index: { _id: expect.stringMatching(/./) as string } }],
  });
  expect(headersOf(listening, 0)).toEqual({
    es_op: 'index',
    es_index: 'logs-app',
    es_id: '1',
    es_pipeline: 'all',
    es_routing: 'r',
    es_version: '7',
    es_version_type: 'external',
    'x-tenant': 'acme',
  });
  expect(headersOf(listening, 1)).toMatchObject({ es_pipeline: 'own', es_routing: 'r' });
  expect((await listening.ask({ path: '/_bulk' })).status).toBe(404);
});

test('types that a page of another site could send are not taken', async () => {
  const listening = await elasticsearch();
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', ''])
    expect((await bulk(listening, ['{"index":{"_index":"i"}}', '{}'], '/_bulk', { 'content-type': type })).status).toBe(
      406,
    );
  expect(listening.harness.emits).toEqual([]);
});
