import { FluentClient } from '@fluent-org/logger';
import { encode } from '@msgpack/msgpack';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { SluiceError } from '../../../src/api/index.ts';
import { hex, listen, stopAll, until } from './support/forward.ts';

afterEach(stopAll);

/** Vectors of the protocol: a second after `1700000000.123456789`. */
const message = hex(
  '94 a76170702e6c6f67 d7006553f100075bcd15 81a16da26869 81a56368756e6bb841414543417751464267634943516f4c4441304f44773d3d',
);
const forward = hex(
  '93 a76170702e6c6f67 92 92d7006553f100075bcd1581a16da26869 92d7006553f100075bcd1581a16da2796f 81a473697a6502',
);
/** As fluentd writes it: binary in a text, and a chunk that ends with a line feed. */
const packed = hex(
  '93 a76170702e6c6f67 db00000022 92d7006553f100075bcd1581a16da26869 92d7006553f100075bcd1581a16da2796f 83 a473697a6502 aa636f6d70726573736564 a474657874 a56368756e6b b941414543417751464267634943516f4c4441304f44773d3d0a',
);
const packedAck = hex('81 a361636b b941414543417751464267634943516f4c4441304f44773d3d0a');
const [hi, yo] = ['{"m":"hi"}', '{"m":"yo"}'];

const entry = (n: number): Buffer => Buffer.from(encode([1_700_000_000, { n }]));
const withOptions = (tag: string, body: unknown, options: object): Buffer => Buffer.from(encode([tag, body, options]));

test('all modes of the protocol: records, times, tags; chunks are acknowledged byte for byte', async () => {
  const { open, harness } = await listen();
  const client = await open();
  client.send(Buffer.concat([message, forward, hex('c0'), packed]));
  await until(() => harness.count === 5);
  expect(harness.values).toEqual([hi, hi, yo, hi, yo]);
  for (const { timestamp, headers } of harness.records) {
    expect(timestamp).toBe(1_700_000_000_123);
    expect(headers.map(([name, value]) => [name, value?.toString()])).toEqual([['fluent.tag', 'app.log']]);
  }
  const acks = Buffer.concat([hex('81 a361636b b841414543417751464267634943516f4c4441304f44773d3d'), packedAck]);
  await until(() => client.received.length >= acks.length);
  expect(client.received).toEqual(acks);
});

test('over a Unix socket, acknowledged as over TCP', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-forward-unix-'));
  try {
    const path = join(folder, 'forward.sock');
    const { harness, stop } = await listen({ unix: { path, mode: '0600' } });
    const socket = connect(path);
    socket.write(packed);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer).toEqual(packedAck);
    expect(harness.values).toEqual([hi, yo]);
    await stop();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('IPv6', async () => {
  const { port, harness } = await listen({ listen: { host: '::1', port: 0 } });
  expect(harness.status).toBe(`listening [::1]:${port}`);
  connect(port, '::1').end(message);
  await until(() => harness.count === 1);
  expect(harness.values).toEqual([hi]);
});

test('messages that come byte by byte are the same', async () => {
  const { open, harness } = await listen();
  const client = await open();
  for (const byte of Buffer.concat([packed, message])) {
    client.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => harness.count === 3);
  expect(harness.values).toEqual([hi, yo, hi]);
});

test.each([
  ['gzip', (bytes: Buffer) => gzipSync(bytes)],
  ['gzip', (bytes: Buffer) => Buffer.concat([gzipSync(bytes.subarray(0, 100)), gzipSync(bytes.subarray(100))])],
  ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
])('compressed entries (%s)', async (compressed, compress) => {
  const { open, harness } = await listen();
  const client = await open();
  const entries = Buffer.concat(Array.from({ length: 1000 }, (_each, n) => entry(n)));
  client.send(withOptions('t', compress(entries), { compressed, chunk: 'c' }));
  client.send(withOptions('t', [[1, { n: 1000 }]], {}));
  await until(() => harness.count === 1001);
  expect(harness.values).toEqual(Array.from({ length: 1001 }, (_each, n) => `{"n":${n}}`));
});

test('a client that leaves right after its last chunk, compressed or not, has it delivered', async () => {
  const { open, harness } = await listen();
  const entries = Buffer.concat(Array.from({ length: 1000 }, (_each, n) => entry(n)));
  for (const [round, compressed] of ['gzip', 'text', 'zstd'].entries()) {
    const body = { gzip: gzipSync(entries), text: entries, zstd: zstdCompressSync(entries) }[compressed];
    const client = await open();
    client.socket.end(withOptions('t', body, { compressed }));
    await until(() => harness.count === 1000 * (round + 1));
  }
});

test('the acknowledgement comes when the records are durable, not before; without one the connection ends', async () => {
  const { open, harness } = await listen();
  const client = await open();
  harness.hold();
  client.send(packed);
  await until(() => harness.inFlight === 2);
  expect(client.received).toHaveLength(0);
  harness.release();
  await until(() => client.received.equals(packedAck));
  harness.refuseNext(new SluiceError('LOG_FULL', 'writing', { retryable: true }));
  client.send(withOptions('t', entry(1), { chunk: 'other' }));
  await until(() => client.isClosed);
  expect(client.received).toEqual(packedAck);
});

test('a chunk that is sent again is acknowledged again, and its records are there once', async () => {
  const { open, harness } = await listen();
  const [one, two] = [await open(), await open()];
  harness.hold();
  one.send(packed);
  await until(() => harness.inFlight === 2);
  two.send(packed);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(two.received).toHaveLength(0);
  harness.release();
  await until(() => one.received.equals(packedAck) && two.received.equals(packedAck));
  one.send(packed);
  await until(() => one.received.length === 2 * packedAck.length);
  expect(harness.values).toEqual([hi, yo]);
});

test('times in all forms; none and 0 are now', async () => {
  const { open, harness } = await listen({ time_field: 'time', tag_field: 'tag' });
  const client = await open();
  const before = Date.now();
  client.send(
    hex(
      '92 a174 9a 92 ce6553f100 80  92 cb41d954fc40200000 81a16101  92 c7080 06553f100075bcd15 80  92 92d7006553f100075bcd1580 81a16101  92 c0 80  92 00 80  92 d7ff6553f100075bcd15 80 92 a178 80 92 cb7ff8000000000000 80 92 ff 80',
    ),
  );
  await until(() => harness.count === 10);
  const exact = harness.values.slice(0, 4);
  expect(exact).toEqual([
    '{"tag":"t","time":"2023-11-14T22:13:20.000000000Z"}',
    '{"tag":"t","time":"2023-11-14T22:13:20.500000000Z","a":1}',
    '{"tag":"t","time":"2023-11-14T22:13:20.123456789Z"}',
    '{"tag":"t","time":"2023-11-14T22:13:20.123456789Z","a":1}',
  ]);
  expect(harness.records.slice(0, 4).map(({ timestamp }) => timestamp % 1000)).toEqual([0, 500, 123, 123]);
  for (const { timestamp } of harness.records.slice(4)) {
    expect(timestamp).toBeGreaterThanOrEqual(before - 1);
    expect(timestamp).toBeLessThanOrEqual(Date.now());
  }
});

test('what is no record becomes a dead letter, the others of its chunk go on, and the chunk is acknowledged', async () => {
  const { open, harness } = await listen({}, { maxRecordBytes: 1000 });
  const client = await open();
  const bad = [
    Buffer.from(encode([1, 'text'])),
    Buffer.from(encode('alone')),
    Buffer.from(encode([1, { text: 'x'.repeat(2000) }])),
    Buffer.concat([hex('9201'), hex('81a161'), hex('91'.repeat(70)), hex('c0')]),
    Buffer.from(encode([1, Object.fromEntries(Array.from({ length: 1001 }, (_each, n) => [`${n}`, 0]))])),
  ];
  const cut = hex('92 01 81a161');
  const body = Buffer.concat([entry(1), ...bad.flatMap((each) => [each, entry(2)]), cut]);
  client.send(withOptions('t', body, { chunk: 'c' }));
  await until(() => client.received.length > 0);
  expect(harness.values).toEqual(['{"n":1}', ...bad.map(() => '{"n":2}')]);
  expect(harness.rejected.map(({ value }) => Buffer.from(value!))).toEqual([...bad, cut]);
  expect(harness.rejected.map(({ error }) => error.code)).toEqual([
    'DECODE_INVALID',
    'DECODE_INVALID',
    'RECORD_TOO_LARGE',
    'DECODE_DEPTH',
    'DECODE_KEYS',
    'DECODE_INVALID',
  ]);
  expect(harness.rejected[0]!.position).toMatch(/^127\.0\.0\.1:\d+ t$/);
});

test('metrics of Fluent Bit are dead letters, not records', async () => {
  const { open, harness } = await listen();
  const client = await open();
  client.send(withOptions('m', Buffer.from('whatever'), { fluent_signal: 1, chunk: 'c' }));
  await until(() => client.received.length > 0);
  expect(harness.count).toBe(0);
  expect(harness.rejected[0]!.error.message).toContain('fluent_signal 1');
});

test.each([
  ['garbage', hex('c1c1c1')],
  ['no message', Buffer.from(encode({ a: 1 }))],
  ['JSON', Buffer.from('["t",1,{}]')],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['TLS', hex('160301')],
  ['a message over the limit', hex('93 a174 c6 7fffffff')],
  ['an unknown compression', withOptions('t', Buffer.from('x'), { compressed: 'lz4', chunk: 'c' })],
  ['compressed entries that are damaged', withOptions('t', Buffer.from('no gzip'), { compressed: 'gzip', chunk: 'c' })],
  ['a bomb', withOptions('t', gzipSync(Buffer.alloc(64 * 1024 * 1024)), { compressed: 'gzip', chunk: 'c' })],
])('%s: closed without an acknowledgement, said, and others are served', async (_what, bytes) => {
  const { open, harness } = await listen();
  const [bad, good] = [await open(), await open()];
  bad.send(bytes);
  await until(() => bad.isClosed);
  expect(bad.received).toHaveLength(0);
  expect(harness.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  good.send(packed);
  await until(() => good.received.equals(packedAck));
  expect(harness.values).toEqual([hi, yo]);
});

test('a message that does not come whole in time, and a connection that says nothing, are closed', async () => {
  const { open } = await listen({ message_timeout: 100, keep_alive: 1500 });
  const [slow, silent] = [await open(), await open()];
  slow.send(packed.subarray(0, 20));
  await until(() => slow.isClosed);
  expect(silent.isClosed).toBe(false);
  await until(() => silent.isClosed);
});

test('while the topic takes nothing, nothing more is read; then all is there', async () => {
  const { open, harness } = await listen({}, { keepsRecords: false });
  const giveBack = harness.spendBudget();
  const client = await open();
  const body = Buffer.concat(Array.from({ length: 20_000 }, (_each, n) => entry(n)));
  for (let chunk = 0; chunk < 20; chunk++) client.send(withOptions('t', body, { chunk: `c${chunk}` }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(client.socket.writableLength).toBeGreaterThan(0);
  expect(harness.count).toBe(0);
  giveBack();
  await until(() => harness.count === 400_000);
  await until(() => client.socket.writableLength === 0);
}, 30_000);

test('when the source ends, what came whole is acknowledged and the connection is closed', async () => {
  const { open, harness, stop } = await listen();
  const client = await open();
  harness.hold();
  client.send(packed);
  await until(() => harness.inFlight === 2);
  const stopped = stop();
  harness.release();
  await stopped;
  await until(() => client.isClosed);
  expect(client.received).toEqual(packedAck);
});

test('heartbeats over UDP are answered', async () => {
  const { port } = await listen({ udp_heartbeat: true });
  const socket = createSocket('udp4');
  socket.send(Buffer.from([0]), port, '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(answer).toEqual(Buffer.from([0]));
  socket.close();
});

test('the logger of fluent.org: each record once, acknowledged', async () => {
  const { port, harness } = await listen();
  const client = new FluentClient('app', { socket: { host: '127.0.0.1', port }, ack: { ackTimeout: 5000 } });
  const sent = Array.from({ length: 500 }, (_each, n) => client.emit('web', { n, text: 'ümläut "quoted"\n' }));
  await Promise.all(sent);
  expect(harness.values).toEqual(
    Array.from({ length: 500 }, (_each, n) => JSON.stringify({ n, text: 'ümläut "quoted"\n' })),
  );
  expect(harness.records[0]!.headers[0]![1]!.toString()).toBe('app.web');
  await client.disconnect();
});
