import { once } from 'node:events';
import type { SourceOptions } from '../../../connectors/http/options.ts';
import { sourceDefinition } from '../../../connectors/http/index.ts';
import { SluiceError } from '../../../src/api/index.ts';
import { defaultOptions, listen, received, stopAll, until } from './support/listener.ts';

afterEach(stopAll);

const json = { 'content-type': 'application/json' };
const withKey = (key: string): Record<string, string> => ({ ...json, 'idempotency-key': key });

test('200 comes only after the records are durable', async () => {
  const { post, harness } = await listen();
  harness.hold();
  let isAnswered = false;
  const answer = post('{"a":1}').finally(() => {
    isAnswered = true;
  });
  await until(() => harness.inFlight === 1);
  expect(isAnswered).toBe(false);
  expect(harness.values).toEqual([]);
  harness.release();
  expect(await answer).toMatchObject({ status: 200, body: { records: 1 } });
  expect(harness.values).toEqual(['{"a":1}']);
});

test('503 with Retry-After when the records could not be confirmed, and the source goes on', async () => {
  const { post, harness } = await listen();
  harness.refuseNext(new SluiceError('LOG_FULL', 'writing /secret/place: no space', { retryable: true }));
  const answer = await post('{"a":1}');
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  expect(JSON.stringify(answer.body)).not.toContain('secret');
  expect((await post('{"a":2}')).status).toBe(200);
  expect(harness.values).toEqual(['{"a":2}']);
});

test('503 when the records are not confirmed in time', async () => {
  const { post, harness } = await listen({ answer_timeout: 100 });
  harness.hold();
  expect(await post('{"a":1}')).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
});

test('429 with Retry-After after a second without room, and 200 when room comes earlier', async () => {
  const { post, harness } = await listen();
  const giveBack = harness.spendBudget();
  const started = performance.now();
  expect(await post('{"a":1}')).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  const waited = performance.now() - started;
  expect(waited).toBeGreaterThan(900);
  const patient = post('{"a":2}');
  await until(() => harness.inFlight === 0);
  giveBack();
  expect((await patient).status).toBe(200);
  expect(harness.values).toEqual(['{"a":2}']);
});

test('429 while the topic log refuses input', async () => {
  const { post, harness } = await listen();
  harness.accepting = false;
  expect((await post('{"a":1}')).status).toBe(429);
  harness.accepting = true;
  expect((await post('{"a":1}')).status).toBe(200);
});

test('bodies that together exceed the memory get 429, and their memory comes back', async () => {
  const options = { max_body: 1024 * 1024, max_inflated_body: 1024 * 1024, max_in_flight: 2 * 1024 * 1024 };
  const { post, raw, open } = await listen(options);
  const holders = await Promise.all([open(), open()]);
  for (const socket of holders) {
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n${' '.repeat(1048575)}`);
  }
  await until(async () => (await post(' '.repeat(500_000))).status === 429);
  const answers = holders.map((socket) => received(socket));
  for (const socket of holders) socket.destroy();
  await Promise.all(answers);
  await until(async () => (await post(`"${' '.repeat(500_000)}"`)).status === 200);
  expect(await raw('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toContain(' 200 OK');
});

test('a repeat of an Idempotency-Key that was committed is suppressed, in the next life too', async () => {
  const { post, harness } = await listen();
  expect((await post('{"a":1}', withKey('k1'))).body).toEqual({ records: 1 });
  expect((await post('{"a":1}', withKey('k1'))).body).toEqual({ repeated: true });
  expect((await post('{"a":2}', withKey('k2'))).body).toEqual({ records: 1 });
  expect(harness.values).toEqual(['{"a":1}', '{"a":2}']);
  await harness.stop();
  harness.status = '';
  await harness.start();
  await until(() => harness.status !== '');
  const port = Number(harness.status.split(':')[1]);
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: withKey('k1'), body: '{"a":1}' });
  expect(await answer.json()).toEqual({ repeated: true });
  expect(harness.values).toEqual(['{"a":1}', '{"a":2}']);
});

test('a repeat while the first is in flight joins its answer', async () => {
  const { post, harness } = await listen();
  harness.hold();
  const first = post('{"a":1}', withKey('k'));
  await until(() => harness.inFlight === 1);
  const second = post('{"a":1}', withKey('k'));
  const other = post('{"b":1}', withKey('l'));
  await until(() => harness.inFlight === 2);
  harness.release();
  expect((await first).body).toEqual({ records: 1 });
  expect((await second).body).toEqual({ records: 1 });
  expect((await other).body).toEqual({ records: 1 });
  expect([...harness.values].sort()).toEqual(['{"a":1}', '{"b":1}']);
});

test('a repeat joins a failure too, and may be sent again', async () => {
  const { post, harness } = await listen();
  harness.hold();
  harness.refuseNext();
  const first = post('{"a":1}', withKey('k'));
  await until(() => harness.inFlight === 1);
  const second = post('{"a":1}', withKey('k'));
  await until(() => harness.pool.usedBytes > 0);
  // The second is in the handler once a request behind it was answered.
  expect((await post('no json')).status).toBe(400);
  harness.release();
  expect([(await first).status, (await second).status]).toEqual([503, 503]);
  expect((await post('{"a":1}', withKey('k'))).body).toEqual({ records: 1 });
  expect(harness.values).toEqual(['{"a":1}']);
});

test('a bad request with a key leaves the key unused', async () => {
  const { post } = await listen();
  expect((await post('{', withKey('k'))).status).toBe(400);
  expect((await post('{}', withKey('k'))).body).toEqual({ records: 1 });
});

test('an empty request with a key is remembered', async () => {
  const { post } = await listen();
  expect((await post('[]', withKey('k'))).body).toEqual({ records: 0 });
  expect((await post('[]', withKey('k'))).body).toEqual({ repeated: true });
});

test.each(['', 'x'.repeat(256)])('an Idempotency-Key that cannot be kept gets 400', async (key) => {
  const { post } = await listen();
  expect((await post('{}', withKey(key))).status).toBe(400);
});

test('paths and methods', async () => {
  const { ask } = await listen({ path: '/logs' });
  expect((await ask({ method: 'POST', path: '/logs?from=x' }, '{}')).status).toBe(200);
  expect((await ask({ method: 'PUT', path: '/logs' }, '{}')).status).toBe(200);
  expect(await ask({ method: 'POST', path: '/' }, '{}')).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('/logs') as string },
  });
  expect(await ask({ method: 'GET', path: '/logs' })).toMatchObject({ status: 405, headers: { allow: 'POST, PUT' } });
  expect(await ask({ method: 'DELETE', path: '/logs' })).toMatchObject({ status: 405 });
  expect(await ask({ method: 'POST', path: '/health' }, '{}')).toMatchObject({
    status: 405,
    headers: { allow: 'GET, HEAD' },
  });
});

test('health tells balancers whether input is taken, without credentials', async () => {
  const { ask, harness } = await listen({ auth: { bearer: 'token' } });
  expect(await ask({ path: '/health' })).toMatchObject({ status: 200, body: { status: 'listening' } });
  expect((await ask({ method: 'HEAD', path: '/health' })).status).toBe(200);
  harness.accepting = false;
  expect((await ask({ path: '/health' })).status).toBe(503);
  expect(harness.pool.usedBytes).toBe(0);
});

test('basic and bearer credentials are asked for before the body is read', async () => {
  const { post, harness } = await listen({ auth: { basic: { username: 'me', password: 'söcret' }, bearer: 'token' } });
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  const refused = await post('{"a":1}');
  expect(refused).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="sluice", charset="UTF-8", Bearer realm="sluice"' },
  });
  for (const authorization of [basic('me:wrong'), basic('you:söcret'), basic('me'), 'Bearer wrong', 'Bearer', 'x']) {
    expect((await post('{"a":1}', { ...json, authorization })).status).toBe(401);
  }
  expect((await post('x'.repeat(20_000_000), { ...json, authorization: 'Bearer no' })).status).toBe(401);
  for (const authorization of [basic('me:söcret'), 'Bearer token', 'bearer token']) {
    expect((await post('{"a":1}', { ...json, authorization })).status).toBe(200);
  }
  expect(harness.count).toBe(3);
});

test('stopping answers what was begun, and takes nothing new', async () => {
  const { post, open, harness, port, stop } = await listen();
  harness.hold();
  const waiting = post('{"a":1}');
  const halfSent = await open();
  const rest = received(halfSent);
  halfSent.write('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n{"b"');
  // It says so once it has begun.
  await once(halfSent, 'data');
  const idle = await open();
  const idleEnd = received(idle);
  await until(() => harness.inFlight === 1);
  const stopped = stop();
  expect(await idleEnd).toBe('');
  await expect(fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' })).rejects.toThrow('fetch failed');
  halfSent.write(':1}');
  await until(() => harness.inFlight === 2);
  harness.release();
  expect(await waiting).toMatchObject({ status: 200, headers: { connection: 'close' } });
  expect(await rest).toContain(' 200 OK');
  await stopped;
  expect(harness.values).toEqual(['{"a":1}', '{"b":1}']);
  expect(harness.pool.usedBytes).toBe(0);
});

test('an address that is taken fails the run, to be tried again', async () => {
  const { port, harness } = await listen();
  const taken = listen({ listen: { host: '127.0.0.1', port } });
  await expect(taken).rejects.toMatchObject({ code: 'LISTENER_IN_USE', retryable: true });
  expect(harness.status).toBe(`listening :${port}`);
});

test('the status names the address, and a wildcard in full', async () => {
  const { harness } = await listen({ listen: { host: '0.0.0.0', port: 0 } });
  expect(harness.status).toMatch(/^listening 0\.0\.0\.0:\d+$/);
});

test('the definition promises what the source holds', () => {
  const { rewinds, placement, ends, dedupe } = sourceDefinition;
  expect({ rewinds, placement, ends }).toEqual({ rewinds: false, placement: 'every', ends: false });
  expect(dedupe).toEqual({ windowMs: 24 * 60 * 60 * 1000, maxIds: 200_000 });
  const resources = (listenOn: unknown): unknown =>
    sourceDefinition.resources!({ ...defaultOptions, listen: listenOn as SourceOptions['listen'] });
  expect(resources({ host: '::1', port: 80 })).toEqual(['listen [::1]:80']);
  expect(resources(':8080')).toEqual(['listen 127.0.0.1:8080']);
  expect(resources('0.0.0.0:1')).toEqual(['listen 0.0.0.0:1']);
  expect(resources({ host: '127.0.0.1', port: 0 })).toEqual([]);
});

test('what cannot work together is a problem of the configuration', () => {
  const problems = sourceDefinition.validate!({
    ...defaultOptions,
    auth: {},
    headers: ['X-Fine', '__Connect.errors.topic', 'sluice.errors.v'],
    max_in_flight: 1024 * 1024,
  });
  expect(problems.map(({ path }) => path)).toEqual([['auth'], ['headers', 1], ['headers', 2], ['max_in_flight']]);
  expect(sourceDefinition.validate!(defaultOptions)).toEqual([]);
});
