import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FaultProxy } from '../../src/testing/index.ts';

/** Answers each line with the line in capitals, and remembers what it was asked. */
let server: Server;
let asked = '';
let proxy: FaultProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  asked = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      asked += bytes.toString();
      socket.write(bytes.toString().toUpperCase());
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await FaultProxy.start((server.address() as AddressInfo).port);
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  proxy.close();
  server.close();
});

test('hands bytes on both ways, and the end of each way', async () => {
  const client = await open();
  client.write('hello');
  expect(await received(client)).toBe('HELLO');
  expect([proxy.connections, proxy.accepted]).toEqual([1, 1]);
  client.end();
  await once(client.resume(), 'close');
  expect(await eventually(() => proxy.connections === 0)).toBe(true);
});

test('an answer still arrives after the client has said all', async () => {
  proxy.travel({ delayMs: 20 });
  const client = await open();
  client.end('last words');
  expect(await received(client)).toBe('LAST WORDS');
});

test('cut resets what is open, and welcomes new connections', async () => {
  const client = await open();
  client.write('one');
  await received(client);
  proxy.cut();
  expect((await errorOf(client)).code).toBe('ECONNRESET');
  const next = await open();
  next.write('two');
  expect(await received(next)).toBe('TWO');
});

test('refused connections are refused by the kernel, until they are accepted again on the same port', async () => {
  const before = await open();
  proxy.refuse();
  const refused = track(connect(proxy.port, '127.0.0.1'));
  expect((await errorOf(refused)).code).toBe('ECONNREFUSED');
  before.write('still here');
  expect(await received(before)).toBe('STILL HERE');
  await proxy.accept();
  const after = await open();
  after.write('again');
  expect(await received(after)).toBe('AGAIN');
});

test('held bytes go on, in order, when they are released', async () => {
  const client = await open();
  proxy.hold();
  client.write('first ');
  const late = await open();
  late.write('late');
  expect(await eventually(() => proxy.accepted === 2)).toBe(true);
  expect(asked).toBe('');
  client.write('second');
  const answer = received(client, 'first second'.length);
  proxy.release();
  expect(await answer).toBe('FIRST SECOND');
  expect(await received(late)).toBe('LATE');
});

test('a connection that is cut while held is gone at once', async () => {
  const client = await open();
  proxy.hold();
  client.write('never heard');
  expect(await eventually(() => proxy.connections === 1)).toBe(true);
  proxy.cut();
  expect((await errorOf(client)).code).toBe('ECONNRESET');
  expect(await eventually(() => proxy.connections === 0)).toBe(true);
  proxy.release();
  expect(asked).toBe('');
});

test('a lost reply: the server did it, and the client does not know', async () => {
  const lost = proxy.loseReply({ nth: 2, request: (bytes) => bytes.includes('order') });
  const client = await open();
  for (const line of ['order 1', 'other']) {
    client.write(line);
    expect(await received(client)).toBe(line.toUpperCase());
  }
  client.write('order 2');
  expect((await errorOf(client)).code).toBe('ECONNRESET');
  await lost;
  expect(asked).toBe('order 1otherorder 2');
  const next = await open();
  next.write('order 3');
  expect(await received(next)).toBe('ORDER 3');
});

test('pieces of one byte arrive one by one', async () => {
  proxy.travel({ pieceBytes: 1 });
  const client = await open();
  const sizes: number[] = [];
  client.on('data', (bytes: Buffer) => sizes.push(bytes.length));
  client.write('x'.repeat(200));
  expect(await eventually(() => sizes.reduce((sum, size) => sum + size, 0) === 200)).toBe(true);
  // A busy reader may find two of them at once.
  expect(sizes.length).toBeGreaterThan(100);
});

test('slow bytes take their time each way', async () => {
  proxy.travel({ bytesPerSecond: 2000 });
  const client = await open();
  const began = performance.now();
  client.write('x'.repeat(400));
  expect(await received(client, 400)).toHaveLength(400);
  // 0.2 s to the server; the answer follows a piece behind.
  expect(performance.now() - began).toBeGreaterThan(190);
});

test('each piece waits for the delay', async () => {
  proxy.travel({ delayMs: 60 });
  const client = await open();
  const began = performance.now();
  client.write('hello');
  await received(client);
  expect(performance.now() - began).toBeGreaterThan(110);
});

test('a server that is gone looks like a reset', async () => {
  proxy.targetPort = 1;
  const client = track(connect(proxy.port, '127.0.0.1'));
  expect((await errorOf(client)).code).toBe('ECONNRESET');
});

async function open(): Promise<Socket> {
  const client = track(connect(proxy.port, '127.0.0.1'));
  await once(client, 'connect');
  return client;
}

function track(client: Socket): Socket {
  // Without a listener an error would end the test's process.
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

function received(client: Socket, length = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (bytes: Buffer): void => {
      text += bytes.toString();
      if (text.length < length) return;
      client.off('data', take);
      resolve(text);
    };
    client.on('data', take);
    client.once('close', () => {
      reject(new Error(`closed after "${text}"`));
    });
  });
}

async function errorOf(client: Socket): Promise<NodeJS.ErrnoException> {
  const [error] = (await once(client, 'error').catch((thrown: unknown) => [thrown])) as [NodeJS.ErrnoException];
  return error;
}

async function eventually(holds: () => boolean): Promise<boolean> {
  const deadline = Date.now() + 5000;
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  return holds();
}
