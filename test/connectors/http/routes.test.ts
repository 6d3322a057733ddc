import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { SignatureOptions } from '../../../src/toolkit/index.ts';
import { sourceDefinition } from '../../../connectors/http/index.ts';
import type { SourceOptions } from '../../../connectors/http/options.ts';
import { defaultOptions, listen, stopAll } from './support/listener.ts';

afterEach(stopAll);

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const basic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});
const signed = (given: Partial<SignatureOptions>): SignatureOptions => ({
  scheme: 'plain',
  secrets: ['s'],
  tolerance: 300_000,
  header: 'X-Signature',
  prefix: '',
  algorithm: 'sha256',
  encoding: 'hex',
  ...given,
});

const post = (path: string, headers: Record<string, string> = {}) => ({ method: 'POST', path, headers });

test('each route has its own format, credentials and limits, and what it does not say is as the source says', async () => {
  const { ask, harness } = await listen({
    format: 'text',
    max_records: 2,
    auth: { bearer: 'of-all' },
    path_header: 'http.path',
    routes: [
      { path: '/lines' },
      { path: '/json', format: 'json', max_records: 3, auth: { tokens: ['new', 'old'] } },
      { path: '/one', max_body: 4, headers: ['X-Tenant'] },
    ],
  });
  expect((await ask(post('/lines', bearer('of-all')), '[1,2]\nx')).body).toEqual({ records: 2 });
  expect((await ask(post('/lines', bearer('of-all')), 'a\nb\nc')).status).toBe(413);
  expect((await ask(post('/json', bearer('of-all')), '[1]')).status).toBe(401);
  for (const token of ['old', 'new']) expect((await ask(post('/json', bearer(token)), '[1,2,3]')).status).toBe(200);
  expect((await ask(post('/one', bearer('of-all')), '12345')).status).toBe(413);
  expect((await ask(post('/one', { ...bearer('of-all'), 'x-tenant': 'me' }), '1')).status).toBe(200);
  expect(harness.values).toEqual(['[1,2]', 'x', '1', '2', '3', '1', '2', '3', '1']);
  const headers = harness.records.at(-1)!.headers.map(([name, value]) => `${name}=${value!.toString()}`);
  expect(headers).toEqual(['x-tenant=me', 'http.path=/one']);
});

test('the longest path that fits is taken, and others get 404 without a hint', async () => {
  const { ask, harness } = await listen({
    path_header: 'path',
    routes: [
      { path: '/hooks/*', format: 'text' },
      { path: '/hooks/a/*', format: 'json' },
      { path: '/hooks/a/exact', format: 'ndjson' },
    ],
  });
  for (const path of ['/hooks/b', '/hooks/b/c?d=e', '/hooks/a/b', '/hooks/a/exact'])
    expect((await ask(post(path), '[1]\n[2]')).status).toBe(path === '/hooks/a/b' ? 400 : 200);
  expect(harness.values).toEqual(['[1]', '[2]', '[1]', '[2]', '[1]', '[2]']);
  expect(harness.records[2]!.headers[0]![1]!.toString()).toBe('/hooks/b/c');
  for (const path of ['/', '/hooks', '/hooksb/a', '/HOOKS/b', '//hooks/b'])
    expect(await ask(post(path), '1')).toMatchObject({ status: 404, body: { error: 'there is nothing at this path' } });
  expect(await ask({ method: 'GET', path: '/hooks/x' })).toMatchObject({
    status: 405,
    headers: { allow: 'POST, PUT' },
  });
});

test('a request target may be a whole URL', async () => {
  const { raw, harness } = await listen({ routes: [{ path: '/a' }] });
  const answer = await raw('POST http://x/a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n7');
  expect(answer).toContain(' 200 OK');
  expect(harness.values).toEqual(['7']);
});

test('health is answered beside routes, also when one has its path', async () => {
  const { ask } = await listen({ auth: { bearer: 'x' }, routes: [{ path: '/*' }, { path: '/health' }] });
  expect((await ask({ path: '/health' })).body).toEqual({ status: 'listening' });
  expect((await ask(post('/health', bearer('x')), '{}')).status).toBe(200);
  expect((await ask({ method: 'DELETE', path: '/health' })).headers.allow).toBe('POST, PUT, GET, HEAD');
});

test('webhooks of GitHub are taken when their signature is right', async () => {
  const { ask, harness } = await listen({
    auth: { bearer: 'of-all' },
    routes: [
      {
        path: '/github',
        format: 'text',
        signature: signed({ scheme: 'github', secrets: ['old', "It's a Secret to Everybody"] }),
      },
    ],
  });
  // The example of GitHub's documents.
  const signature = {
    'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  };
  expect((await ask(post('/github', signature), 'Hello, World!')).status).toBe(200);
  expect(await ask(post('/github', signature), 'Hello, World?')).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Signature header="x-hub-signature-256"' },
  });
  expect((await ask(post('/github'), 'Hello, World!')).status).toBe(401);
  expect((await ask(post('/github', bearer('of-all')), 'Hello, World!')).status).toBe(401);
  expect(harness.values).toEqual(['Hello, World!']);
});

test('a signature is that of the body as it was sent, compressed', async () => {
  const { post: send, harness } = await listen({ signature: signed({ encoding: 'base64', prefix: 'hmac ' }) });
  const sent = gzipSync('{"a":1}');
  const sign = (bytes: Buffer): string => `hmac ${createHmac('sha256', 's').update(bytes).digest('base64')}`;
  const headers = { 'content-encoding': 'gzip', 'x-signature': sign(sent) };
  expect((await send(sent, headers)).status).toBe(200);
  expect((await send(sent, { ...headers, 'x-signature': sign(Buffer.from('{"a":1}')) })).status).toBe(401);
  expect(harness.values).toEqual(['{"a":1}']);
});

test("Stripe's signatures hold their time", async () => {
  const { ask, harness } = await listen({
    routes: [{ path: '/stripe', signature: signed({ scheme: 'stripe', secrets: ['whsec_test'] }) }],
  });
  const event = '{"id":"evt_1","object":"event"}';
  const headers = (time: number): Record<string, string> => {
    const v1 = createHmac('sha256', 'whsec_test').update(`${time}.${event}`).digest('hex');
    return { 'stripe-signature': `t=${time},v1=${'0'.repeat(64)},v1=${v1},v0=${v1}` };
  };
  const now = Math.floor(Date.now() / 1000);
  expect((await ask(post('/stripe', headers(now)), event)).status).toBe(200);
  expect((await ask(post('/stripe', headers(now - 600)), event)).status).toBe(401);
  expect(harness.values).toEqual([event]);
});

test('both credentials and a signature are asked for when both are given', async () => {
  const { ask, harness } = await listen({
    routes: [{ path: '/a', auth: { users: [{ username: 'ada', password: 'p' }] }, signature: signed({}) }],
  });
  const right = { 'x-signature': createHmac('sha256', 's').update('1').digest('hex') };
  expect((await ask(post('/a', { ...basic('ada:p'), ...right }), '1')).status).toBe(200);
  expect((await ask(post('/a', right), '1')).status).toBe(401);
  expect((await ask(post('/a', basic('ada:p')), '1')).status).toBe(401);
  expect(harness.count).toBe(1);
});

test('only clients of the networks that are named are served, behind proxies by what these say', async () => {
  const { ask, harness } = await listen({
    allow: ['192.0.2.0/24', '2001:db8::/32'],
    trusted_proxies: ['127.0.0.0/8'],
    client_header: 'client',
    routes: [{ path: '/few' }, { path: '/here', allow: ['127.0.0.1'] }],
  });
  const from = (forwarded: string): Record<string, string> => ({ 'x-forwarded-for': forwarded });
  expect((await ask(post('/few', from('192.0.2.9')), '1')).status).toBe(200);
  expect((await ask(post('/few', from('203.0.113.1, 2001:db8::9')), '2')).status).toBe(200);
  for (const refused of [{}, from('203.0.113.1'), from('192.0.2.9, 203.0.113.1'), from('unknown')])
    expect((await ask(post('/few', refused), '3')).status).toBe(403);
  expect((await ask(post('/few', { forwarded: 'for=192.0.2.9' }), '4')).status).toBe(403);
  expect((await ask(post('/here'), '5')).status).toBe(200);
  expect(harness.records.map(({ headers }) => headers[0]![1]!.toString())).toEqual([
    '192.0.2.9',
    '2001:db8::9',
    '127.0.0.1',
  ]);
});

test('without trusted proxies nobody is believed', async () => {
  const { ask } = await listen({ allow: ['192.0.2.0/24'] });
  expect((await ask(post('/', { 'x-forwarded-for': '192.0.2.9' }), '1')).status).toBe(403);
});

test('an Idempotency-Key belongs to a route and a user; tokens may change meanwhile', async () => {
  const users = [
    { username: 'ada', password: 'a' },
    { username: 'bob', password: 'b' },
  ];
  const { ask, harness } = await listen({
    auth: { users, tokens: ['new', 'old'] },
    routes: [{ path: '/a' }, { path: '/b' }],
  });
  const key = { 'idempotency-key': 'k' };
  const answer = async (path: string, who: Record<string, string>): Promise<unknown> =>
    (await ask(post(path, { ...key, ...who }), '1')).body;
  for (const [path, who] of [
    ['/a', basic('ada:a')],
    ['/a', basic('bob:b')],
    ['/b', basic('ada:a')],
    ['/a', bearer('old')],
  ] as const) {
    expect(await answer(path, who)).toEqual({ records: 1 });
    expect(await answer(path, who)).toEqual({ repeated: true });
  }
  expect(await answer('/a', bearer('new'))).toEqual({ repeated: true });
  expect(harness.count).toBe(4);
});

test('routes that cannot be meant are problems of the configuration', () => {
  const find = (given: Partial<SourceOptions>): unknown =>
    sourceDefinition.validate!({ ...defaultOptions, ...given }).map(({ path }) => path.join('.'));
  expect(find({ path: '/x', routes: [{ path: '/a' }] })).toEqual(['path']);
  expect(find({ routes: [{ path: '/a' }, { path: '/b' }, { path: '/a' }] })).toEqual(['routes.2.path']);
  expect(
    find({ routes: [{ path: '/a', auth: {}, allow: ['10.0.0.1', '10.0.0.0/40'], headers: ['sluice.x'] }] }),
  ).toEqual(['routes.0.auth', 'routes.0.headers.0', 'routes.0.allow.1']);
  expect(find({ trusted_proxies: ['proxy'], path_header: '__connect.x' })).toEqual([
    'path_header',
    'trusted_proxies.0',
  ]);
  expect(find({ routes: [{ path: '/a', max_inflated_body: 120 * 1024 * 1024 }] })).toEqual(['max_in_flight']);
});
