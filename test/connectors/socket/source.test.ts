import fc from 'fast-check';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceDefinition } from '../../../connectors/socket/index.ts';
import type { SourceOptions } from '../../../connectors/socket/options.ts';
import { SluiceError } from '../../../src/api/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness } from '../../../src/testing/index.ts';

const defaults: SourceOptions = {
  listen: { host: '127.0.0.1', port: 0 },
  transport: 'tcp',
  framing: 'lines',
  length_bytes: 4,
  byte_order: 'big',
  format: 'bytes',
  client_header: '',
  acknowledge: false,
  max_frame: 1000,
  max_in_flight: 128 * 1024 * 1024,
  max_connections: 4096,
  max_connections_per_address: 256,
  message_timeout: 60_000,
  keep_alive: 60_000,
};
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
  return { harness, port: Number(/:(\d+)$/.exec(harness.status)?.[1]) };
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

function counted(value: Buffer, size: 1 | 2 | 4, order: 'big' | 'little'): Buffer {
  const head = Buffer.alloc(size);
  if (order === 'big') head.writeUIntBE(value.length, 0, size);
  else head.writeUIntLE(value.length, 0, size);
  return Buffer.concat([head, value]);
}

test('over a Unix socket, acknowledged; its clients are named by number', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-socket-unix-'));
  try {
    const path = join(folder, 'lines.sock');
    const { harness } = await listen({ unix: { path, mode: '0600' }, acknowledge: true, client_header: 'client' });
    const socket = connect(path);
    socket.write('one\ntwo\n');
    expect(String((await once(socket, 'data'))[0])).toBe('ack 2\n');
    expect(harness.values).toEqual(['one', 'two']);
    expect(harness.records[0]!.headers.map(([, value]) => value?.toString())).toEqual(['unix']);
    expect(harness.emits[0]!.stream).toBe('unix:1');
    socket.destroy();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('any bytes, framed in any way and cut anywhere, are the same records', async () => {
  const framings = [
    {
      framing: 'lines' as const,
      frame: (value: Buffer) => Buffer.concat([value, Buffer.from('\n')]),
      bad: [0x0a, 0x0d],
    },
    { framing: 'nul' as const, frame: (value: Buffer) => Buffer.concat([value, Buffer.from([0])]), bad: [0] },
    ...([1, 2, 4] as const).flatMap((size) =>
      (['big', 'little'] as const).map((order) => ({
        framing: 'length' as const,
        length_bytes: size,
        byte_order: order,
        frame: (value: Buffer) => counted(value, size, order),
        bad: [],
      })),
    ),
  ];
  for (const { frame, bad, ...options } of framings) {
    const { harness, port } = await listen(options);
    const good = (byte: number): number => ((bad as number[]).includes(byte) ? 0x41 : byte);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 10 }),
        async (values, cuts) => {
          const wanted = values.map((value) => Buffer.from(value.map(good)));
          const bytes = Buffer.concat(wanted.map(frame));
          const before = harness.count;
          const socket = await open(port);
          let at = 0;
          for (const cut of cuts) {
            socket.write(bytes.subarray(at, at + cut));
            at += cut;
            await new Promise((resolve) => setImmediate(resolve));
          }
          socket.end(bytes.subarray(at));
          await until(() => harness.count === before + wanted.length);
          expect(harness.records.slice(before).map(({ value }) => value)).toEqual(wanted);
        },
      ),
      { numRuns: 15 },
    );
  }
});

test('CR LF ends a line as LF does, and the last line needs no end', async () => {
  const { harness, port } = await listen({ client_header: 'client' });
  const socket = await open(port);
  socket.end('one\r\ntwo\n\nlast');
  await until(() => harness.count === 4);
  expect(harness.values).toEqual(['one', 'two', '', 'last']);
  expect(harness.records[0]!.headers[0]![1]!.toString()).toBe('127.0.0.1');
});

test('what is no JSON becomes a dead letter where JSON is asked for', async () => {
  const { harness, port } = await listen({ format: 'json' });
  const socket = await open(port);
  socket.end('{"a":1}\nno json\n[1]\n');
  await until(() => harness.count === 2);
  expect(harness.values).toEqual(['{"a":1}', '[1]']);
  expect(harness.rejected.map(({ value }) => Buffer.from(value!).toString())).toEqual(['no json']);
});

test('a line that is too long becomes a dead letter, cut; the next one is whole', async () => {
  const { harness, port } = await listen();
  const socket = await open(port);
  for (const piece of ['x'.repeat(900), 'x'.repeat(900), 'x'.repeat(10), 'x\nnext\n']) {
    socket.write(piece);
    await realClock.sleep(10);
  }
  await until(() => harness.count === 1);
  expect(harness.values).toEqual(['next']);
  expect(harness.rejected.map(({ value }) => value!.length)).toEqual([1000]);
});

test('a length above the limit closes the connection, with a line in the log', async () => {
  const { harness, port } = await listen({ framing: 'length' });
  const socket = await open(port);
  socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff]));
  await once(socket, 'close');
  expect(harness.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});

test('acknowledgements count what is durable; when nothing can be made durable the connection ends', async () => {
  const { harness, port } = await listen({ acknowledge: true, format: 'json' });
  const socket = await open(port);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  harness.hold();
  socket.write('{"a":1}\nbroken\n');
  await until(() => harness.inFlight === 1);
  expect(received).toBe('');
  harness.release();
  await until(() => received === 'ack 2\n');
  harness.refuseNext(new SluiceError('LOG_FULL', 'writing', { retryable: true }));
  socket.write('{"a":2}\n');
  await once(socket, 'close');
  expect(received).toBe('ack 2\n');
});

test('while the topic takes nothing, the sender is held back; then all is there', async () => {
  const { harness, port } = await listen();
  const giveBack = harness.spendBudget();
  const socket = await open(port);
  const block = `${'x'.repeat(999)}\n`.repeat(100);
  for (let blocks = 0; blocks < 200; blocks++) socket.write(block);
  await realClock.sleep(200);
  expect(socket.writableLength).toBeGreaterThan(0);
  giveBack();
  await until(() => harness.count === 20_000);
});

test('datagrams: one record each, or whole frames', async () => {
  const [none, lines, length] = [
    await listen({ transport: 'udp', framing: 'none' }),
    await listen({ transport: 'udp' }),
    await listen({ transport: 'udp', framing: 'length', length_bytes: 1 }),
  ];
  const socket = createSocket('udp4');
  socket.send('a\nb', none.port, '127.0.0.1');
  socket.send('a\nb', lines.port, '127.0.0.1');
  socket.send(Buffer.from([1, 0x61, 3, 0x62]), length.port, '127.0.0.1');
  await until(() => none.harness.count === 1 && lines.harness.count === 2 && length.harness.rejected.length === 1);
  expect(none.harness.values).toEqual(['a\nb']);
  expect(lines.harness.values).toEqual(['a', 'b']);
  expect(length.harness.values).toEqual(['a']);
  socket.close();
});
