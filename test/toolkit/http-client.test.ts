import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import {
  makeCertificates,
  makeExpiredCertificate,
  makeForgedCertificate,
  type Certificates,
} from '../../scripts/services/certificates.ts';
import { HttpClients, HttpEndpoints, type HttpClientSettings } from '../../src/toolkit/index.ts';
import { ManualClock } from '../../src/testing/index.ts';
import { httpProxy, httpServer, type TestServer } from './support/http-servers.ts';

jest.setTimeout(60_000);

const open = { deny: [], allow: [] };
const never = new AbortController().signal;
const leftovers: (() => Promise<void>)[] = [];
let folder: string;
let certificates: Certificates;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-http-client-'));
  certificates = await makeCertificates(folder);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const leave of leftovers.splice(0)) await leave();
});

async function serverOf(answer: RequestListener, tls?: Parameters<typeof httpServer>[1]): Promise<TestServer> {
  const server = await httpServer(answer, tls);
  leftovers.push(() => server.stop());
  return server;
}

async function clientOf(endpoint: string, settings: Partial<HttpClientSettings> = {}) {
  const clients = await HttpClients.load({
    clock: new ManualClock(),
    outbound: open,
    timeoutMs: 5000,
    env: {},
    ...settings,
  });
  const client = clients.client(endpoint);
  leftovers.push(() => client.close());
  return client;
}

async function tlsServer(): Promise<TestServer> {
  const { serverCertificate, serverKey } = certificates;
  return serverOf((_, response) => response.end('secret'), {
    cert: await readFile(serverCertificate),
    key: await readFile(serverKey),
  });
}

test('a request and its answer: path, query, headers, credentials, body; the connection is kept', async () => {
  const bodies: string[] = [];
  const server = await serverOf((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(429, { 'Retry-After': '7', 'X-Kind': 'busy' }).end('later');
    });
  });
  const client = await clientOf(`http://127.0.0.1:${server.port}/solr/`, {
    auth: { basic: { username: 'ada', password: 'päss' } },
    headers: { 'X-Tenant': 'a' },
  });
  for (let times = 0; times < 10; times++) {
    const answer = await client.send(
      {
        method: 'POST',
        path: '/orders/update',
        query: { 'a b': 'c&d' },
        body: Buffer.from('[1]'),
        headers: { 'content-type': 'application/json' },
      },
      never,
    );
    expect(answer).toMatchObject({ status: 429, retryAfterMs: 7000 });
    expect([answer.bytes.toString(), answer.header('x-kind'), answer.header('x-other')]).toEqual([
      'later',
      'busy',
      null,
    ]);
  }
  expect(bodies).toEqual(Array.from({ length: 10 }, () => '[1]'));
  expect(server.requests[0]!.url).toBe('/solr/orders/update?a+b=c%26d');
  expect(server.requests[0]!.headers).toMatchObject({
    authorization: `Basic ${Buffer.from('ada:päss').toString('base64')}`,
    'x-tenant': 'a',
    'content-type': 'application/json',
    'content-length': '3',
  });
  expect(server.connections()).toBeLessThan(4);
});

test('a redirect is an answer, and nobody goes there', async () => {
  const target = await serverOf((_, response) => response.end('here'));
  const server = await serverOf((_, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${target.port}/` }).end();
  });
  const client = await clientOf(`http://127.0.0.1:${server.port}`);
  expect(await client.send({ method: 'GET', path: '/' }, never)).toMatchObject({ status: 302 });
  expect(target.requests).toEqual([]);
});

test.each<[what: string, answer: RequestListener, says: string]>([
  [
    'is cut off',
    (_, response) => response.writeHead(200, { 'content-length': '10' }).write('half', () => response.destroy()),
    'the connection was closed before the answer was there',
  ],
  ['never ends', (_, response) => response.write('{'), 'no answer within 0.3 s'],
  ['never comes', () => undefined, 'no answer within 0.3 s'],
  [
    'is endless',
    (_, response) => {
      for (let times = 0; times < 64; times++) response.write(Buffer.alloc(64 * 1024));
    },
    'the answer is larger than 1 MiB',
  ],
  ['is no HTTP', (request) => request.socket.end('SSH-2.0\r\n\r\n'), 'something answers that is no HTTP'],
  [
    'is a closed connection',
    (request) => request.socket.destroy(),
    'the connection was closed before the answer was there',
  ],
])('an answer that %s is none, and may come another time', async (_what, answer, says) => {
  const server = await serverOf(answer);
  const client = await clientOf(`http://127.0.0.1:${server.port}`, { timeoutMs: 300, maxAnswerBytes: 1024 * 1024 });
  await expect(client.send({ method: 'GET', path: '/x' }, never)).rejects.toMatchObject({
    code: 'SINK_UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining(`GET http://127.0.0.1:${server.port}/x: ${says}`) as string,
  });
});

test('a signal ends a request', async () => {
  const server = await serverOf(() => undefined);
  const client = await clientOf(`http://127.0.0.1:${server.port}`);
  const stop = new AbortController();
  const sent = client.send({ method: 'GET', path: '/' }, stop.signal);
  setTimeout(() => {
    stop.abort();
  }, 50);
  await expect(sent).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' });
});

test('nobody there', async () => {
  const server = await serverOf(() => undefined);
  await leftovers.pop()!();
  for (const host of ['127.0.0.1', 'localhost']) {
    const client = await clientOf(`http://${host}:${server.port}`);
    await expect(client.send({ method: 'GET', path: '/' }, never)).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  }
});

test.each([
  ['an address', '127.0.0.1', { deny: ['127.0.0.0/8'], allow: [] }],
  ['a name that leads there', 'localhost', { deny: ['127.0.0.0/8', '::1'], allow: [] }],
  ['an address in the clothes of IPv6', '[::ffff:127.0.0.1]', { deny: ['127.0.0.1'], allow: [] }],
])('%s is not connected to when the hub denies it', async (_, host, outbound) => {
  const server = await serverOf((_request, response) => response.end());
  const client = await clientOf(`http://${host}:${server.port}`, { outbound });
  await expect(client.send({ method: 'GET', path: '/' }, never)).rejects.toMatchObject({
    code: 'SINK_BLOCKED',
    retryable: false,
    message: expect.stringContaining('denied by `outbound` of the hub file') as string,
  });
  expect(server.connections()).toBe(0);
});

test('`allow` makes exceptions', async () => {
  const server = await serverOf((_, response) => response.end());
  const outbound = { deny: ['0.0.0.0/0', '::/0'], allow: ['127.0.0.1'] };
  for (const host of ['127.0.0.1', 'localhost']) {
    const client = await clientOf(`http://${host}:${server.port}`, { outbound });
    expect(await client.send({ method: 'GET', path: '/' }, never)).toMatchObject({ status: 200 });
  }
});

test('the server is who its certificate says: an authority, a name, a fingerprint', async () => {
  const server = await tlsServer();
  const url = `https://localhost:${server.port}`;
  const ask = async (tls: HttpClientSettings['tls'], endpoint = url): Promise<unknown> => {
    const client = await clientOf(endpoint, { tls });
    return (await client.send({ method: 'GET', path: '/' }, never)).bytes.toString();
  };
  const plain = { insecure_skip_verify: false };
  const blocked = (says: string): object => ({
    code: 'SINK_BLOCKED',
    message: expect.stringContaining(says) as string,
  });
  const { fingerprint256 } = new X509Certificate(await readFile(certificates.serverCertificate));
  const { fingerprint256: other } = new X509Certificate(await readFile(certificates.clientCertificate));
  expect(await ask({ ...plain, ca: certificates.ca })).toBe('secret');
  expect(await ask({ insecure_skip_verify: true })).toBe('secret');
  expect(await ask({ ...plain, fingerprint: fingerprint256 })).toBe('secret');
  expect(await ask({ ...plain, fingerprint: fingerprint256.replaceAll(':', '').toLowerCase() })).toBe('secret');
  await expect(ask({ ...plain, fingerprint: other })).rejects.toMatchObject(blocked('has the fingerprint'));
  await expect(ask(undefined)).rejects.toMatchObject(blocked('unknown authority'));
  await expect(ask({ ...plain, ca: certificates.ca, server_name: 'else' })).rejects.toMatchObject(
    blocked('another name'),
  );
  const plainServer = await serverOf((_, response) => response.end());
  await expect(ask({ ...plain, ca: certificates.ca }, `https://127.0.0.1:${plainServer.port}`)).rejects.toMatchObject(
    blocked('does not speak TLS'),
  );
});

describe('the fingerprint of an authority, whose certificate the server sends along', () => {
  const fingerprintOf = async (file: string): Promise<string> =>
    new X509Certificate(await readFile(file)).fingerprint256;

  /** Sends these certificates, the first of which is its own. */
  async function ask(chain: readonly string[], tls: object = {}): Promise<string> {
    const pems = await Promise.all(chain.map((file) => readFile(file, 'utf8')));
    const server = await serverOf((_, response) => response.end('secret'), {
      cert: pems.join(''),
      key: await readFile(certificates.serverKey),
    });
    const fingerprint = await fingerprintOf(certificates.ca);
    const client = await clientOf(`https://localhost:${server.port}`, {
      tls: { insecure_skip_verify: false, fingerprint, ...tls },
    });
    return client.send({ method: 'GET', path: '/' }, never).then(
      ({ bytes }) => bytes.toString(),
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'SINK_BLOCKED' });
        expect(server.requests).toEqual([]);
        return (error as Error).message;
      },
    );
  }

  test('is enough, for the name that the certificate is for', async () => {
    const { serverCertificate, ca } = certificates;
    expect(await ask([serverCertificate, ca])).toBe('secret');
    expect(await ask([serverCertificate, ca], { server_name: 'localhost' })).toBe('secret');
    expect(await ask([serverCertificate, ca], { server_name: 'else' })).toContain('for another name');
    expect(await ask([serverCertificate])).toContain('no authority that has it signed');
  });

  test('is not borrowed by whoever sends that certificate along', async () => {
    const forged = await makeForgedCertificate(folder);
    expect(await ask([forged, certificates.ca])).toContain('no authority that has it signed');
    const stranger = { fingerprint: await fingerprintOf(forged) };
    expect(await ask([forged, certificates.ca], stranger)).toBe('secret');
  });

  test('vouches for nothing that has expired', async () => {
    const expired = await makeExpiredCertificate(folder);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await ask([expired, certificates.ca])).toContain('not valid at this time');
  });
});

test('a certificate that has expired, and one of the client', async () => {
  const expired = await makeExpiredCertificate(folder);
  // It is valid up to its last second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const tls = { ca: certificates.ca, insecure_skip_verify: false };
  const key = await readFile(certificates.serverKey);
  const old = await serverOf((_, response) => response.end(), { cert: await readFile(expired), key });
  const client = await clientOf(`https://localhost:${old.port}`, { tls });
  await expect(client.send({ method: 'GET', path: '/' }, never)).rejects.toMatchObject({
    code: 'SINK_BLOCKED',
    message: expect.stringContaining('not valid at this time') as string,
  });
  const strict = await serverOf((_, response) => response.end('known'), {
    cert: await readFile(certificates.serverCertificate),
    key,
    ca: await readFile(certificates.ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const known = { ...tls, cert: certificates.clientCertificate, key: certificates.clientKey };
  const ours = await clientOf(`https://localhost:${strict.port}`, { tls: known });
  expect(await ours.send({ method: 'GET', path: '/' }, never)).toMatchObject({ status: 200 });
  const stranger = await clientOf(`https://localhost:${strict.port}`, { tls });
  await expect(stranger.send({ method: 'GET', path: '/' }, never)).rejects.toMatchObject({
    code: expect.stringMatching(/^SINK_/) as string,
  });
});

test('a token in a file is read again when it has changed', async () => {
  const server = await serverOf((request, response) => response.end(request.headers.authorization));
  const file = join(folder, 'token');
  await writeFile(file, 'one\n');
  const client = await clientOf(`http://127.0.0.1:${server.port}`, { auth: { bearer_file: file } });
  const ask = async (): Promise<string> => (await client.send({ method: 'GET', path: '/' }, never)).bytes.toString();
  expect(await ask()).toBe('Bearer one');
  await writeFile(file, 'second');
  expect(await ask()).toBe('Bearer second');
  await writeFile(file, 'two\nlines');
  await expect(ask()).rejects.toMatchObject({
    code: 'SINK_BLOCKED',
    message: expect.not.stringContaining('lines') as string,
  });
});

describe('a proxy', () => {
  const through = async (endpoint: string, settings: Partial<HttpClientSettings>): Promise<string> => {
    const client = await clientOf(endpoint, settings);
    return (await client.send({ method: 'GET', path: '/x' }, never)).bytes.toString();
  };
  const proxyOf = async (authorization?: string): Promise<TestServer> => {
    const proxy = await httpProxy(authorization);
    leftovers.push(() => proxy.stop());
    return proxy;
  };

  test('forwards plain requests and makes tunnels for TLS, with credentials of its own', async () => {
    const basic = { username: 'p', password: 'q' };
    const proxy = await proxyOf(`Basic ${Buffer.from('p:q').toString('base64')}`);
    const url = `http://127.0.0.1:${proxy.port}`;
    const auth = { bearer: 'for-the-server' };
    expect(await through('http://solr.example:8983/solr', { proxy: { url, basic }, auth })).toBe(
      'forwarded http://solr.example:8983/solr/x',
    );
    expect(proxy.requests[0]!.headers).toMatchObject({
      host: 'solr.example:8983',
      authorization: 'Bearer for-the-server',
    });
    const server = await tlsServer();
    const tls = { ca: certificates.ca, insecure_skip_verify: false };
    const endpoint = `https://localhost:${server.port}`;
    expect(await through(endpoint, { proxy: { url, basic }, tls, auth })).toBe('secret');
    expect(proxy.requests[1]).toMatchObject({ method: 'CONNECT', url: `localhost:${server.port}` });
    expect(proxy.requests[1]!.headers.authorization).toBeUndefined();
    expect(server.requests[0]!.headers['proxy-authorization']).toBeUndefined();
    await expect(through(endpoint, { proxy: { url }, tls })).rejects.toMatchObject({
      code: 'SINK_BLOCKED',
      message: expect.stringContaining('the proxy refuses us') as string,
    });
    expect(await through(endpoint, { proxy: 'off', tls })).toBe('secret');
  });

  test('of the environment, but not for this machine and what NO_PROXY names', async () => {
    const proxy = await proxyOf();
    const server = await serverOf((_, response) => response.end('direct'));
    const env = { http_proxy: `127.0.0.1:${proxy.port}`, NO_PROXY: 'other.example, .inner.example:8983,10.0.0.0/8' };
    expect(await through(`http://127.0.0.1:${server.port}`, { env })).toBe('direct');
    expect(await through('http://solr.example:8983', { env })).toContain('forwarded');
    expect(await through('http://a.inner.example:80', { env })).toContain('forwarded');
    for (const exempt of ['http://a.other.example:9', 'http://x.inner.example:8983', 'http://10.1.2.3:9'])
      await expect(
        through(exempt, { env, timeoutMs: 300, outbound: { deny: ['0.0.0.0/0'], allow: ['127.0.0.1'] } }),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^SINK_/) as string,
      });
    expect(proxy.requests).toHaveLength(2);
  });

  test('is an address that the hub may deny, as is an address behind it', async () => {
    const proxy = await proxyOf();
    const url = `http://127.0.0.1:${proxy.port}`;
    const denied = { code: 'SINK_BLOCKED', message: expect.stringContaining('denied') as string };
    await expect(
      through('http://solr.example', { proxy: { url }, outbound: { deny: ['127.0.0.1'], allow: [] } }),
    ).rejects.toMatchObject(denied);
    const outbound = { deny: ['169.254.0.0/16'], allow: [] };
    for (const scheme of ['http', 'https'])
      await expect(through(`${scheme}://169.254.169.254`, { proxy: { url }, outbound })).rejects.toMatchObject(denied);
    expect(proxy.requests).toEqual([]);
  });
});

test('endpoints: the next one when one fails, which rests; an operator hears of what needs one', async () => {
  const clock = new ManualClock();
  const good = await serverOf((_, response) => response.end('good'));
  const bad = await serverOf((request) => request.socket.destroy());
  const clients = await HttpClients.load({
    clock,
    outbound: { deny: ['127.0.0.9'], allow: [] },
    timeoutMs: 1000,
    env: {},
  });
  const of = (...hosts: string[]): HttpEndpoints => {
    const endpoints = new HttpEndpoints(clients.all(hosts.map((host) => `http://${host}`)), clock);
    leftovers.push(() => endpoints.close());
    return endpoints;
  };
  const endpoints = of(`127.0.0.1:${bad.port}`, `127.0.0.1:${good.port}`);
  for (let times = 0; times < 4; times++)
    expect(await endpoints.send({ method: 'GET', path: '/' }, never)).toMatchObject({
      doing: `GET http://127.0.0.1:${good.port}/`,
    });
  expect(bad.requests).toHaveLength(1);
  await clock.advance(1000);
  for (let times = 0; times < 4; times++) await endpoints.send({ method: 'GET', path: '/' }, never);
  expect(bad.requests).toHaveLength(2);
  await expect(
    of('127.0.0.9', `127.0.0.1:${bad.port}`).send({ method: 'GET', path: '/' }, never),
  ).rejects.toMatchObject({
    code: 'SINK_BLOCKED',
  });
});
