import { FluentClient } from '@fluent-org/logger';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Handshake } from '../../../connectors/fluentd/handshake.ts';
import { makeCertificates, type Certificates } from '../../../scripts/services/certificates.ts';
import { MsgpackCursor } from '../../../src/codec/index.ts';
import { Client, hex, listen, stopAll, until } from './support/forward.ts';

afterEach(stopAll);

const users = [{ username: 'alice', password: 's3cr3t' }];
const security = { shared_key: 'secret', self_hostname: 'server.example', users };
/** What clients send first when they know nothing of a handshake. */
const packed = hex('93 a174 c402 9201 81a57368756e6b a163');

describe('the vectors of the handshake', () => {
  const random = [
    Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
    Buffer.from('101112131415161718191a1b1c1d1e1f', 'hex'),
  ];
  const handshake = (): Handshake => {
    const left = [...random];
    return new Handshake(security, () => left.shift()!);
  };
  const text = (value: string): Buffer =>
    Buffer.concat([
      value.length < 32 ? Buffer.from([0xa0 + value.length]) : Buffer.from([0xd9, value.length]),
      Buffer.from(value),
    ]);
  const ping = (key: string, username: string, password: string): Buffer =>
    Buffer.concat([
      hex('96'),
      ...['PING', 'client.example', '0123456789abcdef0123456789abcdef', key, username, password].map(text),
    ]);
  const key =
    '3a680037d3979b4f789647cd22e7e55f2197791eb498799823c424e2213124ed63938d1c422f50e08ec02957ef44df338e46c77e8ea164b0dde6d64e171b30df';
  const password =
    'b469e5b2e02edec4e396b98615030e025c688a2629056b456822ec2d885c34a594af48a45833a6c09b17b9aec1ccd0adcab444dda4c70ebc510dbe6c485a8c80';
  const answer = (bytes: Buffer): { pong: Buffer; reason: string | null } =>
    handshake().answer(new MsgpackCursor(), bytes, 0, bytes.length);

  test('HELO', () => {
    const helo =
      '92a448454c4f83a56e6f6e6365c410000102030405060708090a0b0c0d0e0fa461757468c410101112131415161718191a1b1c1d1e1fa96b656570616c697665c3';
    expect(handshake().helo().toString('hex')).toBe(helo);
  });

  test('PONG proves that the server knows the key', () => {
    const { pong, reason } = answer(ping(key, 'alice', password));
    expect(reason).toBeNull();
    expect(pong.toString('latin1')).toContain(
      '3389a63bef56054281d75fb7b05965b0d1b1ea9eba25b4594ed8e06a02e725af1fbf401cdbe697423c388ac1948566570a6f592284a536370ca36a5ccf88cbbd',
    );
  });

  test.each([
    ['shared_key mismatch', ping(key.replace('3', '4'), 'alice', password)],
    ['username/password mismatch', ping(key, 'alice', password.replace('b', 'c'))],
    ['username/password mismatch', ping(key, 'bob', password)],
    ['invalid ping message', hex('93 a450494e47 01 02')],
    ['invalid ping message', packed],
  ])('%s', (wanted, bytes) => {
    const { pong, reason } = answer(bytes);
    expect(reason).toBe(wanted);
    expect(pong.toString('latin1')).toContain(wanted);
  });
});

test('clients that know the key, and their password, are served; others are told why and closed', async () => {
  const { port, harness } = await listen({ security });
  const logger = (sharedKey: string, password: string): FluentClient =>
    new FluentClient('t', {
      socket: { host: '127.0.0.1', port },
      security: { clientHostname: 'client', sharedKey, username: 'alice', password },
      ack: { ackTimeout: 3000 },
    });
  const good = logger('secret', 's3cr3t');
  await good.emit({ n: 1 });
  expect(harness.values).toEqual(['{"n":1}']);
  await good.disconnect();
  const refused = (): object[] =>
    harness.lines.flatMap(({ message, fields }) => (message === 'Client refused' ? [fields] : []));
  const strangers = [logger('other', 's3cr3t'), logger('secret', 'other')];
  for (const [index, stranger] of strangers.entries()) {
    stranger.emit({ n: 2 }).catch(() => undefined);
    await until(() => refused().length > index);
    void stranger.disconnect().catch(() => undefined);
  }
  expect(refused()).toMatchObject([{ reason: 'shared_key mismatch' }, { reason: 'username/password mismatch' }]);
  expect(harness.values).toEqual(['{"n":1}']);
});

test('who sends records before the handshake is refused, and who says nothing is closed', async () => {
  const { open, harness } = await listen({ security, message_timeout: 200 });
  const [hasty, silent] = [await open(), await open()];
  await until(() => hasty.received.length > 0);
  hasty.send(packed);
  await until(() => hasty.isClosed && silent.isClosed);
  expect(hasty.received.toString('latin1')).toContain('invalid ping message');
  expect(harness.count).toBe(0);
});

describe('TLS', () => {
  let folder: string;
  let certificates: Certificates;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-fluentd-tls-'));
    certificates = await makeCertificates(folder);
  }, 60_000);
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('serves those who trust its certificate, and with `client_ca` those who have one only', async () => {
    const { ca, serverCertificate: cert, serverKey: key, clientCertificate, clientKey } = certificates;
    const { port, harness } = await listen({ tls: { cert, key } });
    const plain = await Client.open(port, await readFile(ca));
    plain.send(hex('93 a174 01 81a16101'));
    await until(() => harness.count === 1);
    const mutual = await listen({ tls: { cert, key, client_ca: ca } });
    const stranger = await Client.open(mutual.port, await readFile(ca));
    await until(() => stranger.isClosed);
    const logger = new FluentClient('t', {
      socket: {
        host: '127.0.0.1',
        port: mutual.port,
        tls: { ca: await readFile(ca), cert: await readFile(clientCertificate), key: await readFile(clientKey) },
      },
      ack: { ackTimeout: 3000 },
    });
    await logger.emit({ n: 1 });
    expect(mutual.harness.values).toEqual(['{"n":1}']);
    await logger.disconnect();
  });
});
