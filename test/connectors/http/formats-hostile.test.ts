import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { FilterPath } from '../../../connectors/http/formats/elasticsearch/filter-path.ts';
import { encodeRequest } from './support/otlp-schema.ts';
import { listen, stopAll, type Listening } from './support/listener.ts';

afterEach(stopAll);

const MEBIBYTE = 1024 * 1024;
const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };
const ndjson = { 'content-type': 'application/x-ndjson' };
const events = { 'content-type': 'application/cloudevents-batch+json' };

type Format = 'cloudevents' | 'otlp_logs' | 'elasticsearch_bulk';

/** How long the longest wait of a normal client was, and by how much memory grew, while `action` ran. */
async function besides(
  listening: Listening,
  action: () => Promise<void>,
): Promise<{ waitMs: number; grownBytes: number }> {
  const before = process.memoryUsage().rss;
  let [waitMs, grownBytes, isOver] = [0, 0, false];
  const normal = (async () => {
    while (!isOver) {
      const start = performance.now();
      expect((await listening.ask({ path: '/health' })).status).toBe(200);
      waitMs = Math.max(waitMs, performance.now() - start);
      grownBytes = Math.max(grownBytes, process.memoryUsage().rss - before);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await action();
  isOver = true;
  await normal;
  return { waitMs, grownBytes };
}

const status = async (
  listening: Listening,
  body: Buffer | string,
  headers: Record<string, string>,
  path: string,
): Promise<number> =>
  await listening.raw(requestOf(body, headers, path)).then((text) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]));

function requestOf(body: Buffer | string, headers: Record<string, string>, path: string): Buffer {
  const bytes = Buffer.from(body as string);
  const head = Object.entries({ host: 'x', connection: 'close', 'content-length': String(bytes.length), ...headers });
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`),
    bytes,
  ]);
}

/** Protobuf messages within each other, each the first field of the one before. */
function nestedMessages(depth: number): Buffer {
  let size = 0;
  const heads: Buffer[] = [];
  for (let level = 0; level < depth; level++) {
    const head = Buffer.concat([Buffer.from([level % 2 === 0 ? 0x0a : 0x2a]), varint(size)]);
    heads.push(head);
    size += head.length;
  }
  return Buffer.concat(heads.reverse());
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.from([...bytes, value]);
}

/** A request with one LogRecord whose body is this AnyValue. */
function withBody(value: Buffer): Buffer {
  const wrap = (field: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(field << 3) | 2]), varint(bytes.length), bytes]);
  return wrap(1, wrap(2, wrap(2, wrap(5, value))));
}

/** Much from little: each of the records repeats what the request says once. */
function amplified(records: number, resourceBytes: number): Buffer {
  return encodeRequest({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'k', value: { stringValue: 'x'.repeat(resourceBytes) } }] },
        scopeLogs: [{ logRecords: Array.from({ length: records }, () => ({ severityNumber: 1 })) }],
      },
    ],
  });
}

const deepJson = '['.repeat(1_000_000);
const action = '{"index":{"_index":"i"}}\n';
const deepBodies = withBody(nestedMessages(20_000));

test.each<[string, Format, Record<string, string>, () => Buffer | string, number]>([
  ['OTLP: a length of 4 GiB', 'otlp_logs', protobuf, () => Buffer.from('0affffffff0f', 'hex'), 400],
  ['OTLP: a varint without end', 'otlp_logs', protobuf, () => Buffer.alloc(MEBIBYTE, 0x80), 400],
  [
    'OTLP: a number of 70 bits',
    'otlp_logs',
    protobuf,
    () => withBody(Buffer.from('18ffffffffffffffffff7f', 'hex')),
    400,
  ],
  ['OTLP: messages that are cut off', 'otlp_logs', protobuf, () => amplified(10, 10).subarray(0, -3), 400],
  ['OTLP: depth in protobuf', 'otlp_logs', protobuf, () => deepBodies, 200],
  ['OTLP: depth in JSON', 'otlp_logs', json, () => `{"resourceLogs":${deepJson}`, 400],
  ['OTLP: a million empty messages', 'otlp_logs', protobuf, () => Buffer.from('0a00'.repeat(MEBIBYTE), 'hex'), 200],
  ['OTLP: a resource of 1 MB for 90,000 records', 'otlp_logs', protobuf, () => amplified(90_000, 1_000_000), 413],
  [
    'OTLP: a decompression bomb',
    'otlp_logs',
    { ...protobuf, 'content-encoding': 'gzip' },
    () => gzipSync(Buffer.alloc(200 * MEBIBYTE)),
    413,
  ],
  ['CloudEvents: depth', 'cloudevents', events, () => `[{"data":${deepJson}`, 400],
  [
    'CloudEvents: 1,001 attributes',
    'cloudevents',
    events,
    () => JSON.stringify([Object.fromEntries(Array.from({ length: 1001 }, (_each, n) => [`a${n}`, 1]))]),
    400,
  ],
  ['CloudEvents: a million events that are none', 'cloudevents', events, () => `[${'1,'.repeat(MEBIBYTE)}1]`, 400],
  ['CloudEvents: a decompression bomb', 'cloudevents', { ...events, 'content-encoding': 'zstd, gzip' }, () => 'x', 415],
  ['bulk: depth in an action', 'elasticsearch_bulk', ndjson, () => `{"index":${deepJson}\n{}\n`, 400],
  ['bulk: depth in a document', 'elasticsearch_bulk', ndjson, () => `${action}${deepJson}\n`, 200],
  ['bulk: 8 MiB of line feeds', 'elasticsearch_bulk', ndjson, () => '\n'.repeat(8 * MEBIBYTE), 400],
  ['bulk: too many actions', 'elasticsearch_bulk', ndjson, () => `${action}{}\n`.repeat(100_001), 413],
  [
    'bulk: an id that forges an action',
    'elasticsearch_bulk',
    ndjson,
    () => '{"index":{"_index":"i","_id":"\\n{\\"delete\\":{}}"}}\n{}\n',
    200,
  ],
])(
  '%s',
  async (_name, format, headers, body, expected) => {
    const path = format === 'elasticsearch_bulk' ? '/_bulk' : '/';
    const listening = await listen({ format, max_connections: 16 });
    const sent = body();
    const { waitMs, grownBytes } = await besides(listening, async () => {
      expect(await status(listening, sent, headers, path)).toBe(expected);
    });
    // Far below the time-outs of clients, and within reach on a machine that does other things, too.
    expect(waitMs).toBeLessThan(3000);
    expect(grownBytes).toBeLessThan(200 * MEBIBYTE);
    expect(listening.harness.pool.usedBytes).toBe(0);
    expect(listening.harness.count).toBe(format === 'elasticsearch_bulk' && _name.includes('forges') ? 1 : 0);
  },
  30_000,
);

test('filters by any patterns answer in time', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('**', '*', 'items', 'a*b', '*.*'), { maxLength: 2000 }), (parts) => {
      const start = performance.now();
      new FilterPath(parts.join('.')).wants('items', 'index', 'status');
      expect(performance.now() - start).toBeLessThan(100);
    }),
    { numRuns: 50 },
  );
  const filter = new FilterPath('errors,items.*.error,items.*.st*s,-items.*.stars');
  expect(filter.wants('errors')).toBe(true);
  expect(filter.wants('took')).toBe(false);
  expect(filter.wants('items', 'index', 'status')).toBe(true);
  expect(filter.wants('items', 'index', 'stars')).toBe(false);
  expect(new FilterPath('**.status').wants('items', 'index', 'status')).toBe(true);
  expect(new FilterPath('items').wants('items', 'index', '_id')).toBe(true);
  expect(new FilterPath(null).wants('took')).toBe(true);
});

test('bulk bodies of any bytes are answered, and what is taken is JSON', async () => {
  const listening = await listen({ format: 'elasticsearch_bulk' });
  const line = fc.oneof(
    fc.constantFrom(
      '{"index":{}}',
      '{"create":{"_id":"1"}}',
      '{"delete":{"_id":"x"}}',
      '{"index":{"_index":',
      '',
      '{}',
      '[]',
    ),
    fc.json({ maxDepth: 2 }),
  );
  const body = fc.oneof(
    fc.array(line, { maxLength: 8 }).map((lines) => Buffer.from(lines.map((each) => `${each}\n`).join(''))),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from([...bytes, 0x0a])),
  );
  await fc.assert(
    fc.asyncProperty(body, async (bytes) => {
      const answer = await listening.ask({ method: 'POST', path: '/i/_bulk', headers: ndjson }, bytes);
      expect([200, 400]).toContain(answer.status);
      expect(listening.harness.pool.usedBytes).toBe(0);
    }),
    { numRuns: 300 },
  );
  for (const { value } of listening.harness.records) if (value !== null) JSON.parse(value.toString());
}, 60_000);

test('CloudEvents of any JSON and of any headers are answered', async () => {
  const listening = await listen({ format: 'cloudevents' });
  const event = fc.record(
    {
      specversion: fc.constantFrom('1.0', '0.3'),
      id: fc.string(),
      source: fc.string(),
      type: fc.string(),
      data: fc.jsonValue(),
      data_base64: fc.constantFrom('aGk=', '?'),
      datacontenttype: fc.constantFrom('application/json', 'text/plain', 'x'),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.array(event, { maxLength: 3 }), fc.jsonValue()), async (body) => {
      const answer = await listening.ask({ method: 'POST', path: '/', headers: events }, JSON.stringify(body));
      expect([200, 400]).toContain(answer.status);
      expect(listening.harness.pool.usedBytes).toBe(0);
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('bodies of any bytes are answered, whatever they are called, and what is taken is whole', async () => {
  const listening = await listen();
  const types = ['application/json', 'application/x-ndjson', 'text/plain', 'application/x-www-form-urlencoded', ''];
  const piece = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('[', ']', '{"a":', '"', ',', '\n', '\r\n', '\\u12', '\0').map((text) => Buffer.from(text)),
  );
  const bodies = fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.concat(pieces));
  await fc.assert(
    fc.asyncProperty(bodies, fc.constantFrom(...types), fc.boolean(), async (body, type, compressed) => {
      const before = listening.harness.count;
      const { status, body: answer } = await listening.ask(
        {
          method: 'POST',
          path: '/',
          headers: { 'content-type': type, ...(compressed ? { 'content-encoding': 'gzip' } : {}) },
        },
        compressed ? gzipSync(body) : body,
      );
      expect([200, 400]).toContain(status);
      const taken = listening.harness.records.slice(before);
      if (status === 200) expect(answer).toMatchObject({ records: taken.length });
      else expect(taken).toEqual([]);
      if (type.endsWith('json')) for (const { value } of taken) JSON.parse(value!.toString());
      expect(listening.harness.pool.usedBytes).toBe(0);
    }),
    { numRuns: 500 },
  );
}, 60_000);
