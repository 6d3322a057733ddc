import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MetricsRecorder, realClock } from '../../src/telemetry/index.ts';
import {
  listenStream,
  type StreamClient,
  type StreamListener,
  type StreamListenerOptions,
  type StreamProtocol,
} from '../../src/toolkit/stream-listener.ts';

const limits = {
  maxConnections: 100,
  maxConnectionsPerAddress: 64,
  handshakeTimeoutMs: 5000,
  messageTimeoutMs: 10_000,
  idleMs: 60_000,
};
const lines: string[] = [];
const log: StreamListenerOptions['log'] = {
  debug: () => undefined,
  info: (_fields, message) => lines.push(message),
  warn: (_fields, message) => lines.push(message),
  error: (_fields, message) => lines.push(message),
  child: () => log,
};
let listener: StreamListener | null = null;

/** Says what it was asked, in order. Steps wait where `wait` is set. */
class Recorder implements StreamProtocol {
  readonly begunAtMs = null;
  readonly calls: string[] = [];
  readonly taken: Buffer[] = [];
  wait: (() => Promise<void> | void) | null = null;

  take(bytes: Buffer): Promise<void> | void {
    this.taken.push(bytes);
    this.calls.push(`take ${bytes.toString()}`);
    return this.wait?.();
  }

  flush(): Promise<void> | void {
    this.calls.push('flush');
    return this.wait?.();
  }

  closed(): void {
    this.calls.push('closed');
  }
}

async function open(protocol: StreamProtocol, seen?: (client: StreamClient) => void): Promise<Socket> {
  lines.length = 0;
  listener = await listenStream({
    address: { host: '127.0.0.1', port: 0 },
    limits,
    clock: realClock,
    log,
    metrics: new MetricsRecorder(),
    heldBytes: () => 0,
    accept: (client) => {
      seen?.(client);
      return protocol;
    },
  });
  const socket = connect(listener.address.port, '127.0.0.1').on('error', () => undefined);
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
  await listener?.close(100);
  listener = null;
});

test('what was taken is flushed at the end of the turn, and its memory is given back', async () => {
  const protocol = new Recorder();
  const socket = await open(protocol);
  socket.write('one');
  await until(() => protocol.calls.length >= 2);
  socket.end();
  await until(() => protocol.calls.includes('closed'));
  expect(protocol.calls).toEqual(['take one', 'flush', 'closed']);
  expect(protocol.taken[0]!.buffer.byteLength).toBe(0);
});

test('nothing is read while a step waits, and the bytes stay until it is over', async () => {
  const protocol = new Recorder();
  const socket = await open(protocol);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  protocol.wait = () => promise;
  socket.write('one');
  await until(() => protocol.calls.length > 0);
  socket.write('two');
  socket.end();
  await realClock.sleep(50);
  expect(protocol.calls).toEqual(['take one']);
  expect(protocol.taken[0]!.toString()).toBe('one');
  protocol.wait = null;
  resolve(undefined);
  await until(() => protocol.calls.includes('closed'));
  expect(protocol.calls.slice(0, 3)).toEqual(['take one', 'flush', 'take two']);
  expect(protocol.calls.slice(3)).toEqual(['flush', 'closed']);
});

test('a connection that goes while a step waits is closed behind it', async () => {
  const protocol = new Recorder();
  const socket = await open(protocol);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  protocol.wait = () => promise;
  socket.write('one');
  await until(() => protocol.calls.length > 0);
  socket.resetAndDestroy();
  await realClock.sleep(20);
  expect(protocol.calls).toEqual(['take one']);
  protocol.wait = null;
  resolve(undefined);
  await until(() => protocol.calls.includes('closed'));
  expect(protocol.calls).toEqual(['take one', 'flush', 'closed']);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no'))],
])('a step that %s ends the connection, what came before it is flushed', async (_how, refuse) => {
  const protocol = new Recorder();
  const socket = await open(protocol);
  protocol.wait = () => {
    protocol.wait = null;
    return refuse();
  };
  socket.write('one');
  await once(socket, 'close');
  await until(() => protocol.calls.includes('closed'));
  expect(protocol.calls).toEqual(['take one', 'flush', 'closed']);
  expect(lines).toEqual(['What a client sent cannot be taken, closing']);
});

test('nothing is read while a client does not read its answers', async () => {
  const protocol = new Recorder();
  let client: StreamClient | null = null;
  const socket = await open(protocol, (each) => (client = each));
  socket.pause();
  const answer = Buffer.alloc(16 * 1024 * 1024);
  protocol.wait = () => {
    protocol.wait = null;
    client!.write(answer);
  };
  socket.write('one');
  await until(() => protocol.calls.includes('take one'));
  socket.write('two');
  await realClock.sleep(50);
  expect(protocol.calls).not.toContain('take two');
  socket.resume();
  await until(() => protocol.calls.includes('take two'));
});
