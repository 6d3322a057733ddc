import { gzipSync, zstdCompressSync } from 'node:zlib';
import { listen, received, stopAll, until } from './support/listener.ts';

afterEach(stopAll);

const head = 'POST / HTTP/1.1\r\nHost: x\r\n';

test.each([
  ['Content-Length and Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two Content-Length', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
  ['the same Content-Length twice', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}'],
  ['a bare line feed', 'X-A: 1\nContent-Length: 2\r\n\r\n{}'],
  ['a folded header', 'X-A: 1\r\n  folded\r\nContent-Length: 2\r\n\r\n{}'],
  ['a chunk size that is none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
  ['a negative Content-Length', 'Content-Length: -1\r\n\r\n'],
])('%s gets 400 and the connection is closed', async (_name, rest) => {
  const { raw, harness, post } = await listen();
  // What a proxy in front took for a second request must not be read as one.
  const answer = await raw(`${head}${rest}POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1);
  expect(harness.emits).toEqual([]);
  expect((await post('{}')).status).toBe(200);
});

test('what is no HTTP at all gets 400', async () => {
  const { raw } = await listen();
  expect(await raw('\0\x01hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
});

test('a transfer coding that is not known gets 501 or 400', async () => {
  const { raw, harness } = await listen();
  expect(await raw(`${head}Connection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 (501|400) /,
  );
  expect(harness.emits).toEqual([]);
});

test('1 GB announced and nothing sent gets 413 at once', async () => {
  const { raw } = await listen();
  const started = performance.now();
  expect(await raw(`${head}Content-Length: 1000000000\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  expect(performance.now() - started).toBeLessThan(2000);
});

test('a chunked body that grows beyond the limit gets 413', async () => {
  const { raw, harness } = await listen({ max_body: 1024 });
  const chunk = `200\r\n${' '.repeat(512)}\r\n`;
  expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  expect(harness.emits).toEqual([]);
});

test('a client that leaves in the middle of its body leaves no record', async () => {
  const { open, harness, post } = await listen();
  const socket = await open();
  socket.write(`${head}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n`);
  const closed = received(socket);
  socket.destroy();
  await closed;
  expect((await post('{"after":1}')).status).toBe(200);
  expect(harness.values).toEqual(['{"after":1}']);
  await until(() => harness.pool.usedBytes === 0);
});

test('headers that do not come to an end get 408, and bodies too', async () => {
  const { open } = await listen({ headers_timeout: 200, request_timeout: 400 });
  const slowHead = await open();
  const slowBody = await open();
  const answers = [received(slowHead), received(slowBody)];
  slowHead.write('POST / HTTP/1.1\r\nHost: ');
  slowBody.write(`${head}Content-Length: 10\r\n\r\n1`);
  const dripping = setInterval(() => {
    slowHead.write('x');
    slowBody.write('1');
  }, 150);
  try {
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  } finally {
    clearInterval(dripping);
  }
});

test('connections that say nothing are closed, and make room for others before', async () => {
  const { open, post } = await listen({ max_connections: 8, keep_alive: 200, headers_timeout: 300 });
  const silent = await Promise.all(Array.from({ length: 30 }, () => open()));
  const ends = silent.map((socket) => received(socket));
  expect((await post('{}')).status).toBe(200);
  await Promise.all(ends);
});

test('headers beyond 16 KiB get 431', async () => {
  const { raw, post } = await listen({ headers: ['x-long'] });
  expect(await raw(`${head}X-Long: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  const many = Array.from({ length: 3000 }, (_, index) => `X-${index}: 1\r\n`).join('');
  expect(await raw(`${head}${many}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  expect((await post('{}')).status).toBe(200);
});

test('pipelined requests are answered in their order', async () => {
  const { raw, harness } = await listen();
  const request = (body: string, more = ''): string => `${head}${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const answer = await raw(request('{"n":1}') + request('{"n":') + request('{"n":3}', 'Connection: close\r\n'));
  expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '400', '200']);
  expect(harness.values).toEqual(['{"n":1}', '{"n":3}']);
});

const mebibytes = Buffer.alloc(32 * 1024 * 1024, '{"a":1}\n');

test.each([
  ['gzip', gzipSync(mebibytes)],
  ['zstd', zstdCompressSync(mebibytes)],
])('a %s bomb gets 413', async (coding, bomb) => {
  const { post, harness } = await listen();
  const answer = await post(bomb, { 'content-type': 'application/x-ndjson', 'content-encoding': coding });
  expect(answer.status).toBe(413);
  expect(harness.emits).toEqual([]);
});

test.each(['gzip', 'zstd'])('a damaged %s body gets 400', async (coding) => {
  const { post } = await listen();
  const whole = coding === 'gzip' ? gzipSync('{"a":1}') : zstdCompressSync('{"a":1}');
  for (const body of [whole.subarray(0, -3), Buffer.concat([whole, Buffer.from('more')]), Buffer.from('{"a":1}')]) {
    expect((await post(body, { 'content-encoding': coding })).status).toBe(400);
  }
});

test.each([
  ['blank lines', { 'content-type': 'application/x-ndjson' }, Buffer.alloc(15_000_000, '\n')],
  ['blanks', { 'content-type': 'application/json' }, Buffer.alloc(15_000_000, ' ')],
  ['line feeds before a fault', {}, Buffer.concat([Buffer.alloc(15_000_000, '\n'), Buffer.from('{')])],
  ['commas', { 'content-type': 'application/json' }, Buffer.from(`[${'1,'.repeat(7_000_000)}1]`)],
  ['open brackets', { 'content-type': 'application/json' }, Buffer.alloc(15_000_000, '[')],
] as const)('15 MB of %s hold nobody up', async (_name, headers, body) => {
  const { post, ask } = await listen();
  let longest = 0;
  let last = performance.now();
  const watching = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  try {
    const hostile = post(body, headers);
    expect((await ask({ path: '/health' })).status).toBe(200);
    expect([200, 400, 413]).toContain((await hostile).status);
  } finally {
    clearInterval(watching);
  }
  expect(longest).toBeLessThan(500);
});
