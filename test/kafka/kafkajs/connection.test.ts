import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connectBroker } from '../../../src/kafka/kafkajs/connection.ts';
import { loadLibrary } from '../../../src/kafka/kafkajs/library.ts';
import { kafkaSettings, quietLog } from '../support/clients.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

// What stands at the other end is no broker, or none that speaks: real ones do not do that on demand.
test('a peer that never answers is given up after the connect time-out', async () => {
  const port = await listen(() => undefined);
  await expect(connect(port)).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
});

test('a peer that hangs up is unreachable', async () => {
  const port = await listen((socket) => socket.once('data', () => socket.end()));
  await expect(connect(port)).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
});

test('a listener that wants TLS is told from one that is broken', async () => {
  // Alert, TLS 1.2, fatal, unexpected message.
  const alert = Buffer.from('15030300020250', 'hex');
  const port = await listen((socket) => socket.once('data', () => socket.end(alert)));
  await expect(connect(port)).rejects.toMatchObject({ code: 'KAFKA_TLS', retryable: false });
});

test('a peer that falls silent loses its requests after the request time-out, and the connection is over', async () => {
  const port = await listen((socket) => {
    // ApiVersions, version 2: correlation 0, no error, Metadata 0 to 5, not throttled; then nothing.
    socket.once('data', () =>
      socket.write(Buffer.from('00000014' + '00000000' + '0000' + '00000001' + '000300000005' + '00000000', 'hex')),
    );
  });
  const broker = await connect(port);
  expect(broker.version('Metadata')).toBe(5);
  expect(broker.version('Produce')).toBe(-1);
  const asking = broker.call('Metadata', { topics: ['a'], allowAutoTopicCreation: false }, 'asking for a topic');
  await expect(asking).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
  expect(broker.isConnected).toBe(false);
});

async function listen(answer: (socket: Socket) => unknown): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    answer(socket);
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function connect(port: number): ReturnType<typeof connectBroker> {
  const settings = kafkaSettings({ driver: 'kafkajs', brokers: [`127.0.0.1:${port}`] });
  return connectBroker(await loadLibrary(), {
    host: '127.0.0.1',
    port,
    settings: { ...settings, client: { ...settings.client, connect_timeout: 500, request_timeout: 500 } },
    mayLackCredentials: () => true,
    tls: null,
    sasl: null,
    log: quietLog,
  });
}
