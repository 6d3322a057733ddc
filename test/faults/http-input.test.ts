import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { makeCertificates } from '../../scripts/services/certificates.ts';
import { freePorts } from '../../src/testing/index.ts';
import { createHub, type Hub, HubProcess, listening } from '../../scripts/prove/hub.ts';
import { publishedFiles } from '../../scripts/prove/published.ts';

/** Hostile HTTP input against a running hub: the answer, the time, the memory, and a normal client beside it that is served. */
let folder: string;
let hub: Hub;
let life: HubProcess;
let port: number;
let tlsPort: number;
/** Far less than by default, so that slow clients need not be waited for. */
const limitMs = 3000;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-http-input-'));
  [port, tlsPort] = (await freePorts(2)) as [number, number];
  const { serverCertificate, serverKey } = await makeCertificates(join(folder, 'certificates'));
  const pipeline = `name: input
sources:
  - http: { listen: '127.0.0.1:${port}', max_body: 8MiB, headers_timeout: ${limitMs}ms, request_timeout: ${limitMs}ms }
  - http: { listen: '127.0.0.1:${tlsPort}', tls: { cert: ${serverCertificate}, key: ${serverKey} }, headers_timeout: ${limitMs}ms }
    name: secure
topic: { name: input, partitions: 1 }
sinks:
  - file: { path: out, roll: { idle: 100ms } }
`;
  hub = await createHub(folder, pipeline);
  life = new HubProcess(hub, ['run']);
  await listening(life, port);
  await listening(life, tlsPort);
}, 60_000);

afterAll(async () => {
  await life.kill('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

afterEach(async () => {
  expect(life.alive).toBe(true);
  expect((await post('{"normal":true}')).status).toBeLessThan(300);
});

const json = { 'content-type': 'application/json' };
const mebibytes200 = Buffer.alloc(200 * 1024 * 1024, '{"a":1}\n');

test.each([
  ['gzip', gzipSync(mebibytes200, { level: 9 })],
  ['zstd', zstdCompressSync(mebibytes200)],
])('a %s bomb of 200 MiB gets 413 quickly and in little memory', async (encoding, bomb) => {
  const before = await residentBytes();
  const started = Date.now();
  const answer = await post(bomb, { 'content-type': 'application/x-ndjson', 'content-encoding': encoding });
  expect(answer.status).toBe(413);
  expect(Date.now() - started).toBeLessThan(500);
  expect((await residentBytes()) - before).toBeLessThan(80 * 1024 * 1024);
});

test.each([['br'], ['gzip, gzip'], ['deflate'], ['x-unknown']])('Content-Encoding %s gets 415', async (encoding) => {
  const body = encoding === 'br' ? brotliCompressSync('{"a":1}') : gzipSync('{"a":1}');
  expect((await post(body, { ...json, 'content-encoding': encoding })).status).toBe(415);
});

test('gzip within gzip is undecodable JSON, not unpacked twice', async () => {
  const body = gzipSync(gzipSync('{"a":1}'));
  expect((await post(body, { ...json, 'content-encoding': 'gzip' })).status).toBe(400);
});

test.each([65, 1_000_000])('JSON of depth %i gets 400, and others are served meanwhile', async (depth) => {
  const hostile = post(`${'['.repeat(depth)}1${']'.repeat(depth)}`, json);
  const started = Date.now();
  expect((await post('{"beside":true}', json)).status).toBeLessThan(300);
  expect(Date.now() - started).toBeLessThan(500);
  expect(await hostile).toMatchObject({ status: 400, body: expect.stringContaining('DECODE_DEPTH') as string });
});

test('100,000 distinct keys get 400', async () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `"${index.toString(36)}":1`).join(',');
  expect(await post(`{${keys}}`, json)).toMatchObject({
    status: 400,
    body: expect.stringContaining('DECODE_KEYS') as string,
  });
});

test('odd but valid JSON goes through byte for byte', async () => {
  const odd = [
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}}}',
    '{"twice":1,"twice":2}',
    '{"lone":"\\ud800"}',
    '{"big":9007199254740993,"long":0.1000000000000000055511151231257827}',
  ];
  for (const text of odd) expect((await post(text, json)).status).toBeLessThan(300);
  await expectPublished(odd);
});

test('an array is split into its elements, and one bad element refuses all', async () => {
  const mark = randomBytes(4).toString('hex');
  expect(await post(`[{"a":"${mark}"},{"b":}]`, json)).toMatchObject({ status: 400 });
  expect((await post(`[{"n":1,"of":"${mark}-kept"}, {"n":2}]`, json)).status).toBeLessThan(300);
  await expectPublished([`{"n":1,"of":"${mark}-kept"}`, '{"n":2}']);
  expect((await published()).includes(`{"a":"${mark}"}`)).toBe(false);
});

test.each([
  ['Content-Length and Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two Content-Length', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
  ['a bare line feed', 'X-A: 1\nContent-Length: 2\r\n\r\n{}'],
  ['a folded header', 'X-A: 1\r\n  folded\r\nContent-Length: 2\r\n\r\n{}'],
  ['a chunk size that is none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
])('%s gets 400 and the connection is closed', async (_name, rest) => {
  const answer = await raw(`POST / HTTP/1.1\r\nHost: x\r\n${rest}`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('1 GB announced and nothing sent gets 413 at once', async () => {
  const socket = await open();
  const started = Date.now();
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
  expect(Date.now() - started).toBeLessThan(500);
  socket.destroy();
});

test('a client that leaves in the middle of a chunked body leaves no record', async () => {
  const mark = randomBytes(8).toString('hex');
  const socket = await open();
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n21\r\n${mark}\n${mark}`,
  );
  await sleep(50);
  socket.destroy();
  await post('{"after":1}', json);
  await sleep(500);
  expect((await published()).some((line) => line.includes(mark))).toBe(false);
});

test('thousands of sockets that send a byte now and then are dropped on time, and others are served meanwhile', async () => {
  const before = await residentBytes();
  const kinds: readonly (readonly [number, string])[] = [
    [port, 'POST / HTTP/1.1\r\nHost: x'],
    [port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n'],
    [tlsPort, '\x16\x03'],
  ];
  using crowd = new Crowd();
  const crowding = crowd.fill(kinds, 5000);
  const times: number[] = [];
  while (crowd.isFilling || times.length < 200) {
    const started = Date.now();
    expect((await post('{"beside":1}', json)).status).toBeLessThan(300);
    times.push(Date.now() - started);
  }
  await crowding;
  times.sort((a, b) => a - b);
  expect(times[Math.floor(times.length * 0.99)]).toBeLessThan(1000);
  expect((await residentBytes()) - before).toBeLessThan(150 * 1024 * 1024);
  // The checks come now and then, and connections are told before they are cut.
  const deadline = Date.now() + limitMs + 7000;
  while (crowd.size > 0 && Date.now() < deadline) await sleep(20);
  expect(crowd.size).toBe(0);
}, 60_000);

test('100,000 headers are refused', async () => {
  const headers = Array.from({ length: 100_000 }, (_, index) => `X-${index}: 1\r\n`).join('');
  expect(await raw(`POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

test('a header of 10 MB is refused', async () => {
  const socket = await open();
  const answer = received(socket);
  socket.on('error', () => undefined);
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(10_000_000)}\r\n\r\n`);
  expect(await answer).toMatch(/^HTTP\/1\.1 431 /);
});

test('a record above the record limit is refused as a whole with 413', async () => {
  const answer = await post(`{"long":"${'x'.repeat(2 * 1024 * 1024)}"}`, json);
  expect(answer.status).toBe(413);
});

/** Clients that drip: each sends a byte now and then until it is cut off. */
class Crowd {
  isFilling = true;
  readonly #sockets = new Set<Socket>();

  get size(): number {
    return this.#sockets.size;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async fill(kinds: readonly (readonly [port: number, beginning: string])[], count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const [to, beginning] = kinds[index % kinds.length]!;
      this.#join(to, beginning);
      if (index % 100 === 99) await sleep(20);
    }
    this.isFilling = false;
  }

  #join(to: number, beginning: string): void {
    const socket = connect(to, '127.0.0.1', () => {
      socket.write(Buffer.from(beginning, 'latin1'));
    });
    const dripping = setInterval(() => {
      socket.write('a');
    }, 1000);
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => {
      clearInterval(dripping);
      this.#sockets.delete(socket);
    });
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function post(body: string | Buffer, headers: Record<string, string> = json): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Everything that comes until the other side closes. */
function received(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve(text);
    }),
  );
}

async function raw(text: string): Promise<string> {
  const socket = await open();
  const answer = received(socket);
  socket.write(text);
  return answer;
}

async function published(): Promise<string[]> {
  const texts = await Promise.all((await publishedFiles(join(folder, 'out'))).map((file) => readFile(file, 'utf8')));
  return texts.join('').split('\n');
}

async function expectPublished(lines: readonly string[]): Promise<void> {
  const deadline = Date.now() + 5000;
  let missing: readonly string[] = lines;
  while (missing.length > 0 && Date.now() < deadline) {
    const all = await published().catch((): string[] => []);
    missing = lines.filter((line) => !all.includes(line));
    await sleep(50);
  }
  expect(missing).toEqual([]);
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${life.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}
