import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { sourceDefinition } from '../../../connectors/syslog/index.ts';
import type { SourceOptions } from '../../../connectors/syslog/options.ts';
import { makeCertificates } from '../../../scripts/services/certificates.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness } from '../../../src/testing/index.ts';

const defaults: SourceOptions = {
  listen: { host: '127.0.0.1', port: 0 },
  transport: 'tcp',
  value: 'raw',
  client_header: '',
  utc_offset: '+00:00',
  max_message: 1024,
  max_in_flight: 64 * 1024 * 1024,
  max_connections: 4096,
  max_connections_per_address: 256,
  message_timeout: 60_000,
  keep_alive: 60_000,
};
jest.setTimeout(60_000);
const running = new Set<SourceHarness>();

async function listen(options: Partial<SourceOptions> = {}): Promise<{ harness: SourceHarness; port: number }> {
  const harness = createSourceHarness({
    clock: realClock,
    definition: sourceDefinition,
    options: { ...defaults, ...options },
  });
  await harness.start();
  while (harness.status === '') await Promise.race([harness.ended, realClock.sleep(1)]);
  running.add(harness);
  return { harness, port: Number(/:(\d+)$/.exec(harness.status)![1]) };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${condition.toString()}`);
    await realClock.sleep(2);
  }
}

afterEach(async () => {
  for (const harness of running) {
    harness.release();
    await harness.stop();
  }
  running.clear();
});

const counted = (text: string): string => `${Buffer.byteLength(text)} ${text}`;

test('counted frames and lines, mixed on one connection, in order', async () => {
  const { harness, port } = await listen();
  const socket = await open(port);
  socket.write(
    `${counted('<13>one\nwith a line')}${counted('<13>two\n')}<13>three\n<13>four\r\n${counted('<13>five')}\nplain six\0\n\n<13>seven`,
  );
  socket.end();
  await until(() => harness.count === 7);
  expect(harness.values).toEqual([
    '<13>one\nwith a line',
    '<13>two',
    '<13>three',
    '<13>four',
    '<13>five',
    'plain six',
    '<13>seven',
  ]);
});

test('frames that come byte by byte are the same', async () => {
  const { harness, port } = await listen();
  const socket = await open(port);
  for (const byte of Buffer.from(`${counted('<13>ä')}<13>b\n${counted('<13>c')}`)) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => harness.count === 3);
  expect(harness.values).toEqual(['<13>ä', '<13>b', '<13>c']);
});

test('the time of the message is that of the record, and the sender a header', async () => {
  const { harness, port } = await listen({ value: 'json', client_header: 'client' });
  const socket = await open(port);
  socket.write('<34>1 2003-10-11T22:14:15.003Z host su - - - hi\n<34>1 2999-01-01T00:00:00Z host su - - - ahead\n');
  await until(() => harness.count === 2);
  const [first, ahead] = harness.records;
  expect(JSON.parse(first!.value!.toString())).toMatchObject({ hostname: 'host', app_name: 'su', message: 'hi' });
  expect(first!.timestamp).toBe(Date.parse('2003-10-11T22:14:15.003Z'));
  expect(Math.abs(ahead!.timestamp - Date.now())).toBeLessThan(10_000);
  expect(first!.headers.map(([name, value]) => [name, value!.toString()])).toEqual([['client', '127.0.0.1']]);
});

test.each([
  ['a line', `<13>${'x'.repeat(5000)}\n`],
  ['a counted frame', counted(`<13>${'x'.repeat(5000)}`)],
])('%s that is too long becomes a dead letter, cut; the next one is whole', async (_what, text) => {
  const { harness, port } = await listen();
  const socket = await open(port);
  for (const piece of [text.slice(0, 700), text.slice(700, 2000), text.slice(2000)]) {
    socket.write(piece);
    await realClock.sleep(10);
  }
  socket.write('<13>next\n');
  await until(() => harness.count === 1);
  expect(harness.values).toEqual(['<13>next']);
  expect(harness.rejected).toHaveLength(1);
  expect(harness.rejected[0]!.error.code).toBe('RECORD_TOO_LARGE');
  expect(Buffer.from(harness.rejected[0]!.value!).toString()).toMatch(/^<13>x{1020}$/);
});

test('while the topic takes nothing, the sender is held back; then all is there', async () => {
  const { harness, port } = await listen({ max_message: 65_536 });
  const giveBack = harness.spendBudget();
  const socket = await open(port);
  const line = `<13>${'x'.repeat(1000)}\n`;
  for (let block = 0; block < 200; block++) socket.write(line.repeat(100));
  await realClock.sleep(200);
  expect(socket.writableLength).toBeGreaterThan(0);
  giveBack();
  await until(() => harness.count === 20_000);
});

test('a message that is not whole in time closes its connection, others are served', async () => {
  const { harness, port } = await listen({ message_timeout: 100 });
  const [slow, good] = [await open(port), await open(port)];
  slow.write('100 <13>slow');
  await once(slow, 'close');
  good.write('<13>good\n');
  await until(() => harness.count === 1);
  expect(harness.values).toEqual(['<13>good']);
});

test('datagrams: a message each', async () => {
  const { harness, port } = await listen({ transport: 'udp' });
  const socket = createSocket('udp4');
  for (let n = 0; n < 100; n++) socket.send(`<13>message ${n}\n`, port, '127.0.0.1');
  await until(() => harness.count === 100);
  socket.send('x'.repeat(2000), port, '127.0.0.1');
  await until(() => harness.rejected.length === 1);
  socket.close();
  expect(harness.values.toSorted()).toEqual(Array.from({ length: 100 }, (_each, n) => `<13>message ${n}`).sort());
});

test('over TLS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-syslog-tls-'));
  try {
    const { ca, serverCertificate: cert, serverKey: key } = await makeCertificates(folder);
    const { harness, port } = await listen({ tls: { cert, key } });
    const socket = connectTls({ host: '127.0.0.1', port, ca: await readFile(ca) });
    await once(socket, 'secureConnect');
    socket.write(counted('<13>secret'));
    await until(() => harness.count === 1);
    socket.destroy();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('`logger` of util-linux, over TCP in both framings and over UDP', async () => {
  const [tcp, udp] = [await listen({ value: 'json' }), await listen({ value: 'json', transport: 'udp' })];
  const send = (...args: string[]): Promise<unknown> =>
    promisify(execFile)('logger', ['-n', '127.0.0.1', '-t', 'app', ...args]);
  await send('-T', '-P', String(tcp.port), '--octet-count', 'counted');
  await send('-T', '-P', String(tcp.port), '--rfc3164', 'line');
  await send('-d', '-P', String(udp.port), 'datagram');
  await until(() => tcp.harness.count === 2 && udp.harness.count === 1);
  const messages = [...tcp.harness.values, ...udp.harness.values].map(
    (value) => JSON.parse(value) as Record<string, unknown>,
  );
  expect(messages.map(({ message }) => message).sort()).toEqual(['counted', 'datagram', 'line']);
  for (const message of messages) expect(message).toMatchObject({ app_name: 'app', severity: 'notice' });
});
