import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import fc from 'fast-check';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { SluiceError } from '../../../src/api/index.ts';
import { encodeRequest, exportResponse, status } from './support/otlp-schema.ts';
import { listen, stopAll, type Listening } from './support/listener.ts';

afterEach(stopAll);

const json = { 'content-type': 'application/json' };
const protobuf = { 'content-type': 'application/x-protobuf' };
const otlp = (
  options: Parameters<typeof listen>[0] = {},
  harnessOptions: Parameters<typeof listen>[1] = {},
): Promise<Listening> => listen({ format: 'otlp_logs', path: '/v1/logs', ...options }, harnessOptions);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

function post({ port }: Listening, body: string | Buffer, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest({ host: '127.0.0.1', port, path: '/v1/logs', method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, bytes: Buffer.concat(chunks) });
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

const time = '1700000000123456789';
/** Everything that a LogRecord can hold. */
const request = {
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
      schemaUrl: 'https://example.com/resource',
      scopeLogs: [
        {
          scope: { name: 'cart', version: '1.2', attributes: [{ key: 'a', value: { boolValue: true } }] },
          schemaUrl: 'https://example.com/scope',
          logRecords: [
            {
              timeUnixNano: time,
              observedTimeUnixNano: '1700000001000000000',
              severityNumber: 9,
              severityText: 'INFO',
              eventName: 'order',
              body: { stringValue: 'häl"lo\n' },
              attributes: [
                { key: 'int', value: { intValue: '9007199254740993' } },
                { key: 'negative', value: { intValue: '-1' } },
                { key: 'double', value: { doubleValue: 0.1 } },
                { key: 'bytes', value: { bytesValue: 'aGk=' } },
                { key: 'none', value: {} },
                { key: 'list', value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'x' }, {}] } } },
                {
                  key: 'map',
                  value: { kvlistValue: { values: [{ key: 'deep', value: { kvlistValue: { values: [] } } }] } },
                },
              ],
              droppedAttributesCount: 2,
              flags: 1,
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
            },
            { body: { kvlistValue: { values: [{ key: 'k', value: { stringValue: 'v' } }] } } },
          ],
        },
        { logRecords: [{ observedTimeUnixNano: time, body: { intValue: '5' } }] },
      ],
    },
    { scopeLogs: [{ scope: {}, logRecords: [{ severityText: 'WARN' }] }] },
  ],
};
const resource = '"resource":{"attributes":{"service.name":"shop"},"schema_url":"https://example.com/resource"}';
const scope =
  '"scope":{"name":"cart","version":"1.2","attributes":{"a":true},"schema_url":"https://example.com/scope"}';
const expected = [
  '{"timestamp":"2023-11-14T22:13:20.123456789Z","observed_timestamp":"2023-11-14T22:13:21.000000000Z","severity_number":9,' +
    '"severity_text":"INFO","event_name":"order","body":"häl\\"lo\\n","attributes":{"int":9007199254740993,"negative":-1,"double":0.1,' +
    '"bytes":"aGk=","none":null,"list":[1,"x",null],"map":{"deep":{}}},"dropped_attributes_count":2,' +
    `"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"eee19b7ec3c1b174","flags":1,${resource},${scope}}`,
  `{"body":{"k":"v"},${resource},${scope}}`,
  `{"observed_timestamp":"2023-11-14T22:13:20.123456789Z","body":5,${resource}}`,
  '{"severity_text":"WARN"}',
];

/** protobuf has bytes where JSON has hex. */
function inProtobuf(): Buffer {
  const hex = (id: string | undefined): Buffer | undefined => (id === undefined ? undefined : Buffer.from(id, 'hex'));
  return encodeRequest({
    resourceLogs: request.resourceLogs.map((one) => ({
      ...one,
      scopeLogs: one.scopeLogs.map((part) => ({
        ...part,
        logRecords: (part.logRecords as { traceId?: string; spanId?: string }[]).map((record) => ({
          ...record,
          traceId: hex(record.traceId),
          spanId: hex(record.spanId),
        })),
      })),
    })),
  });
}

describe.each([
  ['JSON', json, Buffer.from(JSON.stringify(request, null, 1)), Buffer.from('{}')],
  ['protobuf', protobuf, inProtobuf(), Buffer.alloc(0)],
])('in %s', (_name, headers, body, answer) => {
  test.each([
    ['as it is', {}, body],
    ['gzip', { 'content-encoding': 'gzip' }, gzipSync(body)],
  ])('all fields, %s', async (_coding, coding, sent) => {
    const listening = await otlp();
    const got = await post(listening, sent, { ...headers, ...coding });
    expect({ ...got, headers: { 'content-type': got.headers['content-type'] } }).toEqual({
      status: 200,
      headers,
      bytes: answer,
    });
    expect(listening.harness.values).toEqual(expected);
    for (const value of listening.harness.values) JSON.parse(value);
    const now = Date.now();
    const times = listening.harness.records.map(({ timestamp }) => timestamp);
    expect([times[0], times[2]]).toEqual([1_700_000_000_123, 1_700_000_000_123]);
    for (const timestamp of [times[1]!, times[3]!]) expect(Math.abs(now - timestamp)).toBeLessThan(60_000);
  });

  test('a refusal is a Status in the encoding of the request', async () => {
    const listening = await otlp();
    const bad = await post(listening, Buffer.from([0xff]), headers);
    expect(bad.status).toBe(400);
    expect(bad.headers).toMatchObject(headers);
    const told = headers === json ? (JSON.parse(bad.bytes.toString()) as object) : status.decode(bad.bytes).toJSON();
    expect(told).toMatchObject({ code: 3, message: expect.stringMatching(/\w/) as string });
    expect(listening.harness.emits).toEqual([]);
  });

  test('what is beyond a limit is refused alone, and told', async () => {
    const listening = await otlp({}, { maxRecordBytes: 4096 });
    let deep: object = { intValue: '1' };
    // What writes protobuf here gives up sooner; formats-hostile.test.ts has it.
    for (let depth = 0; headers === json && depth < 70; depth++) deep = { arrayValue: { values: [deep] } };
    const many = Array.from({ length: 1001 }, (_each, n) => ({ key: String(n), value: { boolValue: true } }));
    const logRecords = [
      { body: { stringValue: 'good' } },
      { body: { stringValue: 'x'.repeat(5000) } },
      { attributes: many },
      ...(headers === json ? [{ body: deep }] : [{ attributes: many }]),
      { body: { stringValue: 'good, too' } },
    ];
    const sent = { resourceLogs: [{ scopeLogs: [{ logRecords }] }] };
    const got = await post(listening, headers === json ? JSON.stringify(sent) : encodeRequest(sent), headers);
    expect(got.status).toBe(200);
    const told =
      headers === json ? (JSON.parse(got.bytes.toString()) as object) : exportResponse.decode(got.bytes).toJSON();
    expect(told).toMatchObject({
      partialSuccess: {
        rejectedLogRecords: '3',
        errorMessage: expect.stringContaining('3 records were refused') as string,
      },
    });
    expect(listening.harness.values).toEqual(['{"body":"good"}', '{"body":"good, too"}']);
    expect(listening.harness.rejected).toEqual([]);
  });

  test('a resource that is beyond a limit takes its records along, not those of others', async () => {
    const listening = await otlp();
    const many = Array.from({ length: 1001 }, (_each, n) => ({ key: String(n), value: { boolValue: true } }));
    const logs = (n: number): object => ({ logRecords: [{ body: { intValue: String(n) } }] });
    const sent = {
      resourceLogs: [
        { resource: { attributes: many }, scopeLogs: [logs(1), logs(2)] },
        { scopeLogs: [{ scope: { attributes: many }, ...logs(3) }, logs(4)] },
      ],
    };
    await post(listening, headers === json ? JSON.stringify(sent) : encodeRequest(sent), headers);
    expect(listening.harness.values).toEqual(['{"body":4}']);
  });
});

test.each([
  ['JSON', JsonExporter],
  ['protobuf', ProtobufExporter],
])("OpenTelemetry's exporter for %s, with and without gzip", async (_name, Exporter) => {
  const listening = await otlp();
  for (const compression of ['none', 'gzip']) {
    const exporter = new Exporter({
      url: `http://127.0.0.1:${listening.port}/v1/logs`,
      compression: compression as never,
      timeoutMillis: 5000,
    });
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
    const logger = provider.getLogger('tests', '1.0');
    for (let n = 0; n < 3; n++) {
      const attributes = { n, compression, list: [1, 2] };
      const record: object = { severityNumber: 9, severityText: 'INFO', body: `log ${n}`, attributes };
      logger.emit(record);
    }
    await provider.forceFlush();
    await provider.shutdown();
  }
  const records = listening.harness.values.map((value) => JSON.parse(value) as Record<string, unknown>);
  expect(records.map(({ body }) => body)).toEqual(['log 0', 'log 1', 'log 2', 'log 0', 'log 1', 'log 2']);
  for (const [index, record] of records.entries()) {
    expect(record).toMatchObject({
      severity_number: 9,
      severity_text: 'INFO',
      attributes: { n: index % 3, compression: index < 3 ? 'none' : 'gzip', list: [1, 2] },
      scope: { name: 'tests', version: '1.0' },
      resource: { attributes: { 'telemetry.sdk.language': 'nodejs' } },
    });
    expect(Math.abs(Date.parse(record.timestamp as string) - Date.now())).toBeLessThan(60_000);
  }
});

test('the exporter sends again after 429 and 503, and its records are there once', async () => {
  const listening = await otlp();
  const exporter = new ProtobufExporter({ url: `http://127.0.0.1:${listening.port}/v1/logs`, timeoutMillis: 20_000 });
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  listening.harness.refuseNext(new SluiceError('LOG_FULL', 'writing', { retryable: true }));
  provider.getLogger('tests').emit({ body: 'again' });
  await provider.forceFlush();
  await provider.shutdown();
  expect(listening.harness.values).toHaveLength(1);
  expect(JSON.parse(listening.harness.values[0]!)).toMatchObject({ body: 'again' });
}, 30_000);

test('back-pressure is 429 with Retry-After, what cannot be confirmed 503', async () => {
  const listening = await otlp();
  listening.harness.accepting = false;
  const body = encodeRequest({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityText: 'x' }] }] }] });
  const busy = await post(listening, body, protobuf);
  expect(busy).toMatchObject({ status: 429, headers: { 'retry-after': '1', ...protobuf } });
  expect(status.decode(busy.bytes).toJSON()).toMatchObject({ code: 8 });
  listening.harness.accepting = true;
  listening.harness.refuseNext(new SluiceError('LOG_FULL', 'writing', { retryable: true }));
  expect(await post(listening, body, protobuf)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  expect((await post(listening, body, protobuf)).status).toBe(200);
});

test('records of a request are in the topic in turns, two large requests beside each other', async () => {
  const listening = await otlp();
  const logs = (name: string): Buffer =>
    encodeRequest({
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'name', value: { stringValue: name } }] },
          scopeLogs: [
            {
              logRecords: Array.from({ length: 20_000 }, (_each, n) => ({
                body: { stringValue: `${name} ${n} ${'x'.repeat(200)}` },
              })),
            },
          ],
        },
      ],
    });
  const sent = ['a', 'b'].map((name) => post(listening, logs(name), protobuf));
  for (const answer of await Promise.all(sent)) expect(answer.status).toBe(200);
  const seen = { a: 0, b: 0 };
  for (const value of listening.harness.values) {
    const { body, resource: about } = JSON.parse(value) as {
      body: string;
      resource: { attributes: { name: 'a' | 'b' } };
    };
    const { name } = about.attributes;
    expect(body).toBe(`${name} ${seen[name]++} ${'x'.repeat(200)}`);
  }
  expect(seen).toEqual({ a: 20_000, b: 20_000 });
});

test.each([
  ['no object', '[]'],
  ['a list that is none', '{"resourceLogs":{}}'],
  ['an element that is none', '{"resourceLogs":[1]}'],
  ['a time that is none', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"soon"}]}]}]}'],
  ['a negative time', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":-1}]}]}]}'],
  [
    'a time beyond 64 bits',
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"18446744073709551616"}]}]}]}',
  ],
  ['a severity by name', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"INFO"}]}]}]}'],
  ['an id that is no hex', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}'],
  ['a text that is a number', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityText":1}]}]}]}'],
  ['a body that is a text', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":"x"}]}]}]}'],
  ['an intValue that is none', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"intValue":"1.5x"}}]}]}]}'],
  ['bytes that are no base64', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"bytesValue":"?"}}]}]}]}'],
])('JSON with %s is refused as a whole', async (_name, body) => {
  const listening = await otlp();
  const answer = await post(listening, body, json);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.bytes.toString())).toMatchObject({ code: 3 });
  expect(listening.harness.emits).toEqual([]);
  expect(listening.harness.pool.usedBytes).toBe(0);
});

test('names that are unknown, and nulls, are passed over', async () => {
  const listening = await otlp();
  const body =
    '{"new":[{"x":1}],"resourceLogs":[null,{"resource":null,"scopeLogs":null},{"scopeLogs":[{"logRecords":[{"body":null,"attributes":null,"severityText":null,"timeUnixNano":null,"newer":{}}]}]}]}';
  expect((await post(listening, body, json)).status).toBe(200);
  expect(listening.harness.values).toEqual(['{}']);
});

test('other types get 415', async () => {
  const listening = await otlp();
  expect((await post(listening, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await post(listening, 'x', {})).status).toBe(415);
});

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.record({ stringValue: fc.string() }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ doubleValue: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64')) }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
    fc.record({
      kvlistValue: fc.record({
        values: fc.array(fc.record({ key: fc.string(), value: tie('value') }), { maxLength: 3 }),
      }),
    }),
    fc.constant({}),
  ),
})).value;

test('any request makes the same records in both encodings', async () => {
  const listening = await otlp();
  const attributes = fc.array(fc.record({ key: fc.string(), value: anyValue }), { maxLength: 3 });
  const optional = { requiredKeys: [] };
  const record = fc.record(
    {
      timeUnixNano: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String),
      severityNumber: fc.integer({ min: 1, max: 24 }),
      severityText: fc.string(),
      body: anyValue,
      attributes,
      flags: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    },
    optional,
  );
  const requests = fc.record({
    resourceLogs: fc.array(
      fc.record({
        resource: fc.record({ attributes }, optional),
        scopeLogs: fc.array(
          fc.record({
            scope: fc.record({ name: fc.string(), attributes }, optional),
            logRecords: fc.array(record, { maxLength: 3 }),
          }),
          { maxLength: 2 },
        ),
      }),
      { maxLength: 2 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(requests, async (any) => {
      const before = listening.harness.count;
      expect((await post(listening, JSON.stringify(any), json)).status).toBe(200);
      const middle = listening.harness.count;
      expect((await post(listening, encodeRequest(any), protobuf)).status).toBe(200);
      const { values } = listening.harness;
      const parsed = (from: number, to?: number): unknown[] =>
        values.slice(from, to).map((value) => JSON.parse(value) as unknown);
      expect(parsed(middle)).toEqual(parsed(before, middle));
    }),
    { numRuns: 200 },
  );
}, 60_000);

test('any bytes are taken or refused, and nothing is left behind', async () => {
  const listening = await otlp();
  const good = inProtobuf();
  const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
    const copy = Buffer.from(good);
    copy[at] = byte;
    return copy;
  });
  const cut = fc.nat(good.length).map((length) => good.subarray(0, length));
  const bytes = fc.oneof(
    damaged,
    cut,
    fc.uint8Array({ maxLength: 64 }).map((any) => Buffer.from(any)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (body) => {
      expect([200, 400]).toContain((await post(listening, body, protobuf)).status);
      expect(listening.harness.pool.usedBytes).toBe(0);
    }),
    { numRuns: 300 },
  );
  for (const value of listening.harness.values) JSON.parse(value);
}, 60_000);
