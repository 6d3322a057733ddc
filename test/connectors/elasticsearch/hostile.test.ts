import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Json, WriteResult } from '../../../src/api/index.ts';
import { FakeServer, allWritten } from './support/fake-server.ts';
import { sinkHarness } from './support/sink.ts';

jest.setTimeout(30_000);

let server: FakeServer;

beforeEach(async () => {
  server = await FakeServer.start();
});

afterEach(() => server.stop());

/** One attempt with three documents. */
async function attempt(options: Record<string, Json> = {}): Promise<WriteResult> {
  const harness = sinkHarness({ endpoints: [server.url], ...options });
  harness.append(0, ['{"n":1}', '{"n":2}', '{"n":3}']);
  await harness.start();
  try {
    return (await harness.write())!;
  } finally {
    await harness.stop();
  }
}

async function failure(options: Record<string, Json> = {}): Promise<{ disposition: string; message: string }> {
  const result = await attempt(options);
  if (!('batch' in result)) throw new Error('it was taken');
  return { disposition: result.batch.disposition, message: result.batch.error.message };
}

const items = (...statuses: number[]): string =>
  JSON.stringify({ errors: true, items: statuses.map((status) => ({ create: { status } })) });

test.each<[string, (response: ServerResponse) => void]>([
  ['fewer items', (response) => response.end(items(201, 201))],
  ['more items', (response) => response.end(items(201, 201, 201, 201))],
  ['no items', (response) => response.end('{"errors":false}')],
  ['nothing', (response) => response.end()],
  ['a page', (response) => response.setHeader('Content-Type', 'text/html').end('<html>welcome</html>')],
  ['bytes', (response) => response.end(Buffer.from([0, 255, 254, 1]))],
  ['a depth bomb', (response) => response.end(`{"items":${'['.repeat(1_000_000)}`)],
  [
    'a gzip bomb that nobody asked for',
    (response) => {
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    },
  ],
  [
    '204',
    (response) => {
      response.statusCode = 204;
      response.end();
    },
  ],
])('an answer that is none, the batch comes again: %s', async (_what, answer) => {
  server.answer = (_request, response) => {
    answer(response);
  };
  expect(await failure()).toMatchObject({ disposition: 'retry' });
});

test.each([
  ['announced', true],
  ['in chunks', false],
])('a gigabyte, %s, is cut off and held by nobody', async (_how, isAnnounced) => {
  const piece = Buffer.alloc(1 << 20, ' ');
  const gigabyte = 1 << 30;
  let sent = 0;
  server.answer = (_request, response) => {
    if (isAnnounced) response.setHeader('Content-Length', gigabyte);
    const more = (): void => {
      while (sent < gigabyte && !response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
    };
    more();
  };
  const before = process.memoryUsage().rss;
  const { disposition, message } = await failure();
  expect(disposition).toBe('retry');
  expect(message).toMatch(/^POST http:\/\/127\.0\.0\.1:\d+\/test\/_bulk: the answer is larger than 64 MiB$/);
  expect(sent).toBeLessThan(gigabyte / 2);
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
});

test('an answer that trickles in is not waited for beyond the time for a request', async () => {
  const timers: NodeJS.Timeout[] = [];
  server.answer = (_request, response) => {
    response.write('{');
    timers.push(setInterval(() => response.write(' '), 50));
  };
  const started = performance.now();
  expect(await failure({ request_timeout: '1s' })).toMatchObject({
    disposition: 'retry',
    message: expect.stringMatching(/no answer within 1 s$/) as string,
  });
  expect(performance.now() - started).toBeLessThan(5000);
  for (const timer of timers) clearInterval(timer);
});

test('no answer at all, and a connection that is cut in the middle of one', async () => {
  server.answer = () => undefined;
  expect((await failure({ request_timeout: '1s' })).message).toMatch(/no answer within 1 s$/);
  server.answer = (_request, response) => {
    response.setHeader('Content-Length', 1000);
    response.write('{"items":[');
    setImmediate(() => response.destroy());
  };
  expect(await failure()).toMatchObject({ disposition: 'retry' });
});

test('429 for the request: the wait that the server asks for', async () => {
  server.answer = (_request, response) => {
    response.statusCode = 429;
    response.setHeader('Retry-After', '7');
    response.end('{"error":{"type":"es_rejected_execution_exception","reason":"full"},"status":429}');
  };
  expect(await attempt()).toMatchObject({
    batch: { disposition: 'retry', retryAfterMs: 7000, error: { retryable: true } },
  });
});

test('a server that is no Elasticsearch needs an operator, also when it takes everything', async () => {
  server.answer = (request, response) => {
    response.removeHeader('X-Elastic-Product');
    allWritten(request, response);
  };
  for (let times = 0; times < 12; times++)
    expect(await failure()).toMatchObject({
      disposition: 'block',
      message: expect.stringContaining('OpenSearch is another system') as string,
    });
});

test('a redirect is not followed', async () => {
  const other = await FakeServer.start();
  server.answer = (_request, response) => {
    response.statusCode = 307;
    response.setHeader('Location', `${other.url}/test/_bulk`);
    response.end();
  };
  expect(await failure({ auth: { api_key: 'c2VjcmV0' } })).toMatchObject({ disposition: 'block' });
  expect(other.requests).toEqual([]);
  await other.stop();
});

test('a failure of megabytes costs no time, and says nothing secret', async () => {
  const harness = sinkHarness({
    endpoints: [server.url],
    auth: { basic: { username: 'sluice', password: 'tell-nobody' } },
    headers: { 'X-Key': 'tell-nobody-either' },
  });
  harness.append(
    0,
    Array.from({ length: 8 }, () => `{"x":"${'x'.repeat(1 << 20)}"}`),
  );
  await harness.start();
  server.answer = (_request, response) => {
    response.destroy();
  };
  for (const expected of ['retry', 'retry']) {
    const started = performance.now();
    const result = (await harness.write())!;
    expect(performance.now() - started).toBeLessThan(1500);
    expect(result).toMatchObject({ batch: { disposition: expected } });
    const { error } = (result as { batch: { error: Error } }).batch;
    expect(`${error.stack ?? ''} ${JSON.stringify(error)}`).not.toMatch(/tell-nobody|dGVsbC|xxxx|Basic/);
    expect(error.cause).toBeUndefined();
    server.answer = (_request, response) => {
      response.statusCode = 500;
      response.end('{"error":{"type":"a","reason":"b"}}');
    };
  }
  await harness.stop();
});

test('what is sent: one request, its headers, its query', async () => {
  await attempt({
    auth: { basic: { username: 'sluice', password: 'pass:word' } },
    headers: { 'X-Tenant': 'a' },
    pipeline: 'geo',
    gzip: true,
    index: 'a.b-c_d',
    endpoints: [`${server.url}/proxied/`],
  });
  const [{ method, url, headers, body }] = server.requests as [(typeof server.requests)[number]];
  const { pathname, searchParams } = new URL(url, server.url);
  expect({ method, pathname, query: Object.fromEntries(searchParams) }).toEqual({
    method: 'POST',
    pathname: '/proxied/a.b-c_d/_bulk',
    query: {
      filter_path: 'errors,items.*.status,items.*.error.type,items.*.error.reason',
      timeout: '15000ms',
      pipeline: 'geo',
    },
  });
  expect(headers).toMatchObject({
    'content-type': 'application/vnd.elasticsearch+x-ndjson; compatible-with=8',
    accept: 'application/vnd.elasticsearch+json; compatible-with=8',
    'content-encoding': 'gzip',
    authorization: `Basic ${Buffer.from('sluice:pass:word').toString('base64')}`,
    'x-tenant': 'a',
  });
  expect(body.split('\n')).toHaveLength(7);
  await attempt({ auth: { api_key: 'a2V5' } });
  expect(server.requests.at(-1)!.headers).toMatchObject({ authorization: 'ApiKey a2V5' });
});

test('endpoints take turns; one that is dead costs nothing but its place', async () => {
  const dead = createServer();
  await once(dead.listen(0, '127.0.0.1'), 'listening');
  const deadUrl = `http://127.0.0.1:${(dead.address() as AddressInfo).port}`;
  dead.close();
  const other = await FakeServer.start();
  const harness = sinkHarness({ endpoints: [deadUrl, server.url, other.url] });
  harness.append(
    0,
    Array.from({ length: 8 }, (_, n) => `{"n":${n}}`),
  );
  await harness.start();
  for (let written = 0; written < 8; written++)
    expect(await harness.write({ maxRecords: 1 })).toEqual({ failures: [] });
  expect([server.requests.length, other.requests.length]).toEqual([4, 4]);
  await other.stop();
  await server.stop();
  harness.append(0, ['{"n":9}']);
  const result = await harness.write();
  expect(result).toMatchObject({ batch: { disposition: 'retry', error: { code: 'SINK_UNAVAILABLE' } } });
  expect((result as { batch: { error: Error } }).batch.error.message).toMatch(
    /127\.0\.0\.1:\d+\/test\/_bulk: .*ECONNREFUSED/,
  );
  await harness.stop();
  server = await FakeServer.start();
});

test('closing does not wait for an answer that never comes', async () => {
  server.answer = () => undefined;
  const harness = sinkHarness({ endpoints: [server.url] });
  harness.append(0, ['{}']);
  await harness.start();
  const writing = harness.write();
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await harness.sink.close();
  expect(await writing).toMatchObject({ batch: { disposition: 'retry' } });
});

test('a batch without a proper record asks nobody', async () => {
  const harness = sinkHarness({ endpoints: [server.url] });
  harness.append(0, ['[]', { value: null }]);
  await harness.start();
  await harness.write();
  expect(harness.refused).toHaveLength(2);
  expect(server.requests).toEqual([]);
  await harness.stop();
});
