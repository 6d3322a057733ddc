import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { makeCertificates, type Certificates } from '../../scripts/services/certificates.ts';
import type { Json, SourceDefinition } from '../../src/api/index.ts';
import { convertOptions } from '../../src/config/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { realClock } from '../../src/telemetry/index.ts';
import { createSourceHarness, ManualClock, type SourceHarness } from '../../src/testing/index.ts';

/** Every source that listens, with a record as its clients send it. */
const listeners: readonly (readonly [name: string, record: Buffer])[] = [
  ['http', Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}')],
  ['fluentd', Buffer.from('93a17401 81a16102'.replaceAll(' ', ''), 'hex')],
  ['syslog', Buffer.from('<13>hello\n')],
  ['socket', Buffer.from('hello\n')],
];

let folder: string;
let certificates: Certificates;
const running = new Set<SourceHarness>();
jest.setTimeout(60_000);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-listeners-'));
  certificates = await makeCertificates(folder);
});

afterEach(async () => {
  await Promise.all([...running].map((harness) => harness.stop()));
  running.clear();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function listen(
  name: string,
  options: Readonly<Record<string, Json>>,
  clock: ManualClock | typeof realClock = realClock,
): Promise<{ harness: SourceHarness; port: number }> {
  const definition = (await createRegistry().find('source', name)) as SourceDefinition;
  const context = { baseDir: folder, env: {}, references: { env: [], file: [] } };
  const converted = convertOptions(definition, { listen: '127.0.0.1:0', ...options }, context);
  const harness = createSourceHarness({ clock, definition, options: converted as Readonly<Record<string, unknown>> });
  await harness.start();
  while (harness.status === '') await Promise.race([harness.ended, realClock.sleep(1)]);
  running.add(harness);
  return { harness, port: Number(/:(\d+)$/.exec(harness.status)![1]) };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${condition.toString()}`);
    await realClock.sleep(5);
  }
}

const server = (): Record<string, Json> => ({
  cert: certificates.serverCertificate,
  key: certificates.serverKey,
});

async function secure(port: number, options: { client?: boolean; session?: Buffer } = {}): Promise<TLSSocket> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    ca: await readFile(certificates.ca),
    rejectUnauthorized: false,
    ...(options.session === undefined ? {} : { session: options.session }),
    ...(options.client === false
      ? {}
      : { cert: await readFile(certificates.clientCertificate), key: await readFile(certificates.clientKey) }),
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

test.each(listeners)('%s serves new connections with a certificate that was replaced', async (name) => {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const place = async (from: string, fromKey: string): Promise<void> => {
    await copyFile(from, cert);
    await copyFile(fromKey, key);
  };
  await place(certificates.serverCertificate, certificates.serverKey);
  const clock = new ManualClock();
  const { port } = await listen(name, { tls: { cert, key } }, clock);
  const shown = async (): Promise<string> => {
    const socket = await secure(port);
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const of = async (file: string): Promise<string> => new X509Certificate(await readFile(file)).fingerprint256;
  expect(await shown()).toBe(await of(certificates.serverCertificate));
  await place(certificates.clientCertificate, certificates.clientKey);
  const wanted = await of(certificates.clientCertificate);
  let found = '';
  for (let tries = 0; tries < 100 && found !== wanted; tries++) {
    await clock.advance(30_000);
    await realClock.sleep(10);
    found = await shown();
  }
  expect(found).toBe(wanted);
});

describe.each(listeners)('%s, with certificates of clients', (name, record) => {
  const only = (lists: Record<string, Json>): Record<string, Json> => ({
    tls: { ...server(), client_ca: certificates.ca, ...lists },
  });

  async function isServed(port: number, harness: SourceHarness, session?: Buffer): Promise<boolean> {
    const before = harness.count;
    const socket = await secure(port, session === undefined ? {} : { session });
    socket.write(record);
    const closed = once(socket, 'close').then(() => false);
    const served = until(() => harness.count > before).then(() => true);
    served.catch(() => undefined);
    const answer = await Promise.race([closed, served]);
    socket.destroy();
    return answer;
  }

  test('a name or a fingerprint on the list is served, others are not', async () => {
    const { fingerprint256: right } = new X509Certificate(await readFile(certificates.clientCertificate));
    const wrong = right.replace(/^../, (byte) => (byte === '00' ? '01' : '00'));
    for (const [lists, expected] of [
      [{ client_names: ['other', 'client1'] }, true],
      [{ client_names: ['localhost'] }, true],
      [{ client_names: ['client', 'CLIENT1', '127.0.0.1'] }, false],
      [{ client_fingerprints: [right.replaceAll(':', '').toLowerCase()] }, true],
      [{ client_fingerprints: [wrong] }, false],
      [{ client_names: ['client1'], client_fingerprints: [wrong] }, true],
    ] as const) {
      const { harness, port } = await listen(name, only(lists));
      expect({ lists, served: await isServed(port, harness) }).toEqual({ lists, served: expected });
      running.delete(harness);
      await harness.stop();
    }
  });

  test('a session that is taken up again is that of the same certificate', async () => {
    const { harness, port } = await listen(name, only({ client_names: ['client1'] }));
    const first = await secure(port);
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    expect(await isServed(port, harness, session)).toBe(true);
  });
});

test.each(listeners)('%s serves only the networks that are named', async (name, record) => {
  const served = await listen(name, { allow: ['::1', '127.0.0.0/8'] });
  const other = await listen(name, { allow: ['192.0.2.0/24'] });
  const [one, two] = [connect(served.port, '127.0.0.1'), connect(other.port, '127.0.0.1')];
  for (const socket of [one, two]) socket.on('error', () => undefined).write(record);
  // It may come before what is waited for first.
  const closed = once(two, 'close');
  two.resume();
  await until(() => served.harness.count === 1);
  // HTTP says why and leaves it to the client to close.
  if (name === 'http') two.end();
  await closed;
  expect(other.harness.count).toBe(0);
  one.destroy();
});

test('datagrams of other networks are dropped', async () => {
  const syslog = (allow: string): ReturnType<typeof listen> => listen('syslog', { transport: 'udp', allow: [allow] });
  const [served, other] = [await syslog('127.0.0.1'), await syslog('192.0.2.0/24')];
  const socket = createSocket('udp4');
  socket.send('<13>no', other.port, '127.0.0.1');
  socket.send('<13>yes', served.port, '127.0.0.1');
  await until(() => served.harness.count === 1);
  await other.harness.stop();
  running.delete(other.harness);
  expect(other.harness.count).toBe(0);
  socket.close();
});

test.each(listeners)('%s says what cannot be meant', async (name) => {
  const definition = (await createRegistry().find('source', name)) as SourceDefinition;
  const context = { baseDir: folder, env: {}, references: { env: [], file: [] } };
  const problems = (options: Record<string, Json>): unknown =>
    definition.validate!(convertOptions(definition, options, context) as never).map(({ path }) => path.join('.'));
  expect(problems({ allow: ['10.0.0.0/8', '10.0.0.0/99'] })).toEqual(['allow.1']);
  expect(problems({ tls: { ...server(), client_names: ['a'], client_fingerprints: ['00'.repeat(32)] } })).toEqual([
    'tls.client_names',
    'tls.client_fingerprints',
  ]);
});
