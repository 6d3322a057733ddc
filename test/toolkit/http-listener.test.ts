import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { makeCertificates } from '../../scripts/services/certificates.ts';
import { MetricsRecorder, realClock } from '../../src/telemetry/index.ts';
import { ManualClock } from '../../src/testing/index.ts';
import {
  ByteBudget,
  listenHttp,
  Refusal,
  type HttpExchange,
  type HttpListener,
  type HttpListenerOptions,
} from '../../src/toolkit/index.ts';

const limits = {
  maxConnections: 100,
  maxConnectionsPerAddress: 64,
  headersTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
  keepAliveMs: 5000,
  answerTimeoutMs: 5000,
};
const budget = new ByteBudget(1024 * 1024);

const lines: string[] = [];
const log: HttpListenerOptions['log'] = {
  debug: () => undefined,
  info: (_fields, message) => lines.push(message),
  warn: (_fields, message) => lines.push(message),
  error: (fields, message) => lines.push(`${message} ${JSON.stringify(fields)}`),
  child: () => log,
};

let recorder = new MetricsRecorder();
const metrics: HttpListenerOptions['metrics'] = {
  count: (...sample) => {
    recorder.count(...sample);
  },
  gauge: (...sample) => {
    recorder.gauge(...sample);
  },
};
let listener: HttpListener | null = null;

async function start(options: Partial<HttpListenerOptions> = {}): Promise<number> {
  lines.length = 0;
  listener = await listenHttp({
    address: { host: '127.0.0.1', port: 0 },
    limits,
    clock: realClock,
    log,
    metrics,
    heldBytes: () => budget.usedBytes,
    handle: echo,
    ...options,
  });
  return listener.address.port;
}

afterEach(async () => {
  await listener?.close(100);
  listener = null;
  expect(budget.usedBytes).toBe(0);
});

/** Answers with how many bytes it read. */
async function echo(exchange: HttpExchange): Promise<{ status: number; body: { bytes: number } }> {
  const body = await exchange.readBody({ maxBytes: 100_000, budget });
  const bytes = body.bytes.length;
  body.release();
  return { status: 200, body: { bytes } };
}

test('a body that comes byte by byte costs its bytes, and is whole', async () => {
  const port = await start();
  const socket = await open(port);
  const answer = whole(socket);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let index = 0; index < 2000; index++) socket.write('1\r\nx\r\n');
  socket.write('0\r\n\r\n');
  expect(await answer).toContain('{"bytes":2000}');
});

test('a body of any size up to the limit is whole', async () => {
  const port = await start();
  for (const size of [0, 1, 16_383, 16_384, 16_385, 99_999, 100_000]) {
    expect(await ask(port, Buffer.alloc(size))).toEqual([200, `{"bytes":${size}}\n`]);
  }
  expect((await ask(port, Buffer.alloc(100_001)))[0]).toBe(413);
});

test('Expect: 100-continue is told before the body, and a body that will be refused is not asked for', async () => {
  const port = await start();
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n';
  const socket = await open(port);
  const answer = whole(socket);
  socket.once('data', () => socket.write('hello'));
  socket.write(`${head}Content-Length: 5\r\n\r\n`);
  expect(await answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  const refused = await open(port);
  const refusal = whole(refused);
  refused.write(`${head}Content-Length: 500000\r\n\r\n`);
  expect(await refusal).toMatch(/^HTTP\/1\.1 413 /);
});

test('a handler that throws gets a 500 that says nothing, and a line in the log', async () => {
  const port = await start({ handle: () => Promise.reject(new Error('secret detail')) });
  const [status, text] = await ask(port, Buffer.from('x'));
  expect(status).toBe(500);
  expect(text).not.toContain('secret');
  expect(lines.join()).toContain('secret detail');
});

test('a refusal is the answer, with its fields and headers', async () => {
  const refusal = new Refusal(409, 'not now', { fields: { code: 'X', line: 3 }, retryAfterSeconds: 7 });
  const port = await start({ handle: () => Promise.reject(refusal) });
  expect(await ask(port, Buffer.from('x'))).toEqual([409, '{"error":"not now","code":"X","line":3}\n']);
});

test('an answer that does not come in time is 503, and the late one is dropped', async () => {
  let finish: () => void = () => undefined;
  const handle = async (exchange: HttpExchange): Promise<{ status: number }> => {
    (await exchange.readBody({ maxBytes: 10, budget })).release();
    await new Promise<void>((resolve) => (finish = resolve));
    return { status: 200 };
  };
  const port = await start({ handle, limits: { ...limits, answerTimeoutMs: 100 } });
  expect((await ask(port, Buffer.from('x')))[0]).toBe(503);
  finish();
});

test('a body slower than 512 bytes a second is refused after ten', async () => {
  const clock = new ManualClock();
  const port = await start({ clock });
  const socket = await open(port);
  const answer = whole(socket);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nxxxx');
  // Once this one is answered the body before it is being read.
  expect((await ask(port, Buffer.from('x')))[0]).toBe(200);
  for (let second = 0; second < 12; second++) await clock.advance(1000);
  expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
});

test('when all places are taken, the silent make room first and then those that were served', async () => {
  const port = await start({ limits: { ...limits, maxConnections: 4 } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await ask(port, Buffer.from('x'), agent))[0]).toBe(200);
  const silent = await Promise.all(Array.from({ length: 6 }, () => open(port)));
  let closed = 0;
  for (const socket of silent) socket.resume().once('close', () => closed++);
  while (closed < 3) await realClock.sleep(5);
  // The connection that was served still is.
  expect((await ask(port, Buffer.from('x'), agent))[0]).toBe(200);
  agent.destroy();
  for (const socket of silent) socket.destroy();
});

test('nobody whose answer is owed is thrown out', async () => {
  let finish: () => void = () => undefined;
  const isHeld = new Promise<void>((resolve) => (finish = resolve));
  let begun = 0;
  const handle = async (exchange: HttpExchange): Promise<{ status: number; body: { ok: boolean } }> => {
    (await exchange.readBody({ maxBytes: 10, budget })).release();
    begun++;
    await isHeld;
    return { status: 200, body: { ok: true } };
  };
  const port = await start({ handle, limits: { ...limits, maxConnections: 2 } });
  const owed = [ask(port, Buffer.from('1')), ask(port, Buffer.from('2'))];
  while (begun < 2) await realClock.sleep(2);
  const late = await open(port);
  await whole(late);
  finish();
  expect((await Promise.all(owed)).map(([status]) => status)).toEqual([200, 200]);
});

test('closing ends idle connections at once and the rest by force after the grace', async () => {
  let begun = 0;
  const port = await start({
    handle: () => {
      begun++;
      return new Promise(() => undefined);
    },
  });
  const idle = await open(port);
  const stuck = await open(port);
  const ends = [whole(idle), whole(stuck)];
  stuck.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  while (begun === 0) await realClock.sleep(2);
  const started = performance.now();
  await listener!.close(200);
  expect(await Promise.all(ends)).toEqual(['', '']);
  expect(performance.now() - started).toBeGreaterThan(150);
});

test('a changed certificate is used for new connections; a bad one is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-toolkit-tls-'));
  try {
    const first = await makeCertificates(join(folder, 'first'));
    const second = await makeCertificates(join(folder, 'second'));
    const tls = { cert: join(folder, 'used.crt'), key: join(folder, 'used.key') };
    await copyFile(first.serverCertificate, tls.cert);
    await copyFile(first.serverKey, tls.key);
    const clock = new ManualClock();
    const port = await start({ tls, clock });
    const before = await fingerprint(port);
    await copyFile(second.serverCertificate, tls.cert);
    await clock.advance(30_000);
    while (!lines.some((line) => line.includes('keeping the old one'))) await realClock.sleep(5);
    expect(await fingerprint(port)).toBe(before);
    await copyFile(second.serverKey, tls.key);
    await clock.advance(30_000);
    while (!lines.includes('Certificate reloaded')) await realClock.sleep(5);
    expect(await fingerprint(port)).not.toBe(before);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);

test('HTTP that cannot be read over TLS is answered over TLS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-toolkit-tls-'));
  try {
    const { serverCertificate, serverKey } = await makeCertificates(folder);
    const port = await start({ tls: { cert: serverCertificate, key: serverKey } });
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const answer = whole(socket);
    // The second cannot be read while the first is being answered.
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nxNO HTTP\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK[^]*HTTP\/1\.1 400 Bad Request/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);

test.each([
  [{ host: '203.0.113.1', port: 0 }, 'OPTION_INVALID'],
  [{ host: 'no-such-host.invalid', port: 0 }, 'OPTION_INVALID'],
])('listening on %j says what is wrong', async (address, code) => {
  await expect(start({ address })).rejects.toMatchObject({ code });
});

function ask(port: number, body: Buffer, agent?: Agent): Promise<[status: number, text: string]> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method: 'POST', ...(agent === undefined ? {} : { agent }) };
    const sending = request(options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        resolve([response.statusCode ?? 0, text]);
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(socket);
    });
    socket.on('error', () => undefined);
  });
}

/** All that comes until the other side closes. */
function whole(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve(text);
    }),
  );
}

function fingerprint(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('says once a second how many came, how much they sent and what they got', async () => {
  recorder = new MetricsRecorder();
  const refuse = (exchange: HttpExchange): Promise<never> => {
    const turnedAway = exchange.request.url === '/known' ? 'signature' : 'credentials';
    return Promise.reject(new Refusal(401, 'not you', { turnedAway }));
  };
  const port = await start({
    handle: (exchange) => (exchange.request.url === '/open' ? echo(exchange) : refuse(exchange)),
  });
  const post = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: 'x'.repeat(1000) })).status;
  expect([await post('/open'), await post('/open'), await post('/closed'), await post('/known')]).toEqual([
    200, 200, 401, 401,
  ]);
  await listener!.close(1000);
  const samples = Object.fromEntries(
    recorder.drain().map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
  );
  expect(samples).toMatchObject({
    sluice_listener_connections: 0,
    'sluice_listener_requests_total 2xx': 2,
    'sluice_listener_requests_total 4xx': 2,
    'sluice_listener_turned_away_total credentials': 1,
    'sluice_listener_turned_away_total signature': 1,
  });
  expect(samples.sluice_listener_received_bytes_total).toBeGreaterThan(4000);
  expect(samples.sluice_listener_connections_total).toBeGreaterThan(0);
});
