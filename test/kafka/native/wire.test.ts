import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Writer } from '@platformatic/kafka';
import { exchange } from '../../../src/kafka/native/exchange.ts';
import { Wire, WireError } from '../../../src/kafka/native/wire.ts';

/** The frames of a peer that answers as it is told. */
class Peer {
  readonly received: Buffer[] = [];
  readonly #server: Server;
  #socket: Socket | null = null;

  constructor() {
    this.#server = createServer((socket) => {
      this.#socket = socket;
      socket.on('data', (chunk: Buffer) => this.received.push(chunk)).on('error', () => undefined);
    }).listen(0, '127.0.0.1');
  }

  async open(requestTimeoutMs = 5000): Promise<Wire> {
    if (!this.#server.listening) await once(this.#server, 'listening');
    const address = this.#server.address();
    const port = typeof address === 'object' ? address!.port : 0;
    return Wire.open({
      at: { host: '127.0.0.1', port },
      tls: null,
      clientId: 'wire',
      connectTimeoutMs: 5000,
      requestTimeoutMs,
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  async receives(count: number): Promise<void> {
    while (this.bytes.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  say(bytes: Buffer | string): void {
    this.#socket!.write(bytes);
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

let peer: Peer;
beforeEach(() => {
  peer = new Peer();
});
afterEach(() => peer.close());

const frame = (correlationId: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + body.length);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body]);
};

const ask = (wire: Wire, body: Buffer[] = []): Promise<string> =>
  exchange(wire, {
    apiKey: 3,
    version: 1,
    isFlexible: false,
    write: () => {
      const writer = Writer.create();
      for (const part of body) writer.append(part);
      return writer;
    },
    read: (reader) => reader.buffer.toString('latin1'),
  });

test('sends the header, then each byte of the parts, small ones and large ones', async () => {
  const wire = await peer.open();
  const parts = [1, 5000, 3, 4, 70_000, 2].map((size, index) => Buffer.alloc(size, index + 1));
  const answered = ask(wire, parts);
  const size = 8 + 6 + 75_010;
  await peer.receives(4 + size);
  const { bytes } = peer;
  expect(bytes.readInt32BE(0)).toBe(size);
  expect(bytes.subarray(4, 18).toString('hex')).toBe(`00030001000000010004${Buffer.from('wire').toString('hex')}`);
  expect(bytes.subarray(18).equals(Buffer.concat(parts))).toBe(true);
  peer.say(frame(1, Buffer.from('done')));
  expect(await answered).toBe('done');
  await wire.close();
});

test('finds answers however they are cut, and whatever their order', async () => {
  const wire = await peer.open();
  const answers = Promise.all([ask(wire), ask(wire), ask(wire)]);
  await peer.receives(3 * 18);
  const bytes = Buffer.concat([
    frame(3, Buffer.alloc(100_000, 'c')),
    frame(1, Buffer.from('a')),
    frame(2, Buffer.alloc(0)),
  ]);
  for (let at = 0; at < bytes.length; at += 30_001) {
    peer.say(bytes.subarray(at, at + 30_001));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(await answers).toEqual(['a', '', 'c'.repeat(100_000)]);
  await wire.close();
});

test('reads an answer to where it is to lie, however it is cut, and what comes behind it elsewhere', async () => {
  const wire = await peer.open();
  const memory = Buffer.alloc(100_010);
  const lengths: number[] = [];
  const placed = exchange(wire, {
    apiKey: 3,
    version: 1,
    isFlexible: false,
    write: () => Writer.create(),
    read: ({ buffer }) => buffer.buffer,
    place: (length) => {
      lengths.push(length);
      return memory.subarray(0, length);
    },
  });
  const next = ask(wire);
  await peer.receives(36);
  const bytes = Buffer.concat([frame(1, Buffer.alloc(100_000, 'p')), frame(2, Buffer.from('elsewhere'))]);
  for (const [from, to] of [
    [0, 3],
    [3, 7],
    [7, 40_000],
    [40_000, 100_006],
    [100_006, bytes.length],
  ] as const) {
    peer.say(bytes.subarray(from, to));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const answer = await placed;
  expect(await next).toBe('elsewhere');
  expect(lengths).toEqual([100_004]);
  expect(answer.buffer).toBe(memory.buffer);
  expect(answer.equals(Buffer.alloc(100_000, 'p'))).toBe(true);
  expect(memory.subarray(100_004).equals(Buffer.alloc(6))).toBe(true);
  await wire.close();
});

test('what an answer that cannot be read throws is told to the one who asked, and the others go on', async () => {
  const wire = await peer.open();
  const broken = exchange(wire, {
    apiKey: 3,
    version: 1,
    isFlexible: false,
    write: () => Writer.create(),
    read: (reader) => reader.readInt64(),
  });
  await peer.receives(18);
  peer.say(frame(1, Buffer.from('abc')));
  await expect(broken).rejects.toThrow();
  const next = ask(wire);
  await peer.receives(36);
  peer.say(frame(2, Buffer.from('fine')));
  expect(await next).toBe('fine');
  await wire.close();
});

test.each([
  ['tls', Buffer.from('15030300020250', 'hex')],
  ['http', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['alien', Buffer.from('ffffffffffff', 'hex')],
  ['alien', Buffer.from('00000002ffff', 'hex')],
  ['alien', frame(77, Buffer.from('nobody asked'))],
])('ends at what no broker says: %s', async (finding, bytes) => {
  const wire = await peer.open();
  const asked = ask(wire);
  await peer.receives(18);
  peer.say(bytes);
  await expect(asked).rejects.toMatchObject({ name: 'WireError', finding });
  expect(wire.isOpen).toBe(false);
  await expect(ask(wire)).rejects.toBeInstanceOf(WireError);
});

test('a request that is not answered in time ends the connection, and all that wait on it', async () => {
  const wire = await peer.open(50);
  const [first, second] = await Promise.allSettled([ask(wire), ask(wire)]);
  expect([first, second]).toMatchObject(
    [true, true].map((isTimeout) => ({ status: 'rejected', reason: { isTimeout } })),
  );
  expect(wire.isOpen).toBe(false);
});

test('the end of the connection is told to all who wait, with its cause', async () => {
  const wire = await peer.open();
  const asked = ask(wire);
  await peer.receives(18);
  const closing = peer.close();
  await expect(asked).rejects.toMatchObject({ name: 'WireError', isTimeout: false, finding: null });
  await closing;
  peer = new Peer();
});
