import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { promisify } from 'node:util';
import { openKafka } from '../../src/kafka/index.ts';
import { realClock } from '../../src/telemetry/index.ts';
import { kafkaSettings, quietLog } from '../kafka/support/clients.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Of an authority of its own, from and until `YYMMDDhhmmssZ`. */
async function certificate(from: string, until: string): Promise<{ cert: string; key: string }> {
  const at = (name: string): string => join(folder, name);
  const openssl = (...parameters: string[]): Promise<unknown> => run('openssl', parameters, { cwd: folder });
  await writeFile(at('index.txt'), '');
  await writeFile(
    at('ca.cnf'),
    `[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = any
[names]
subjectAltName = DNS:localhost,IP:127.0.0.1
basicConstraints = CA:true
`,
  );
  const subject = ['-subj', '/CN=localhost', '-config', 'ca.cnf'];
  await openssl('req', '-newkey', 'rsa:2048', '-nodes', ...subject, '-keyout', 'key.pem', '-out', 'request.pem');
  await openssl(
    ...['ca', '-batch', '-selfsign', '-config', 'ca.cnf', '-extensions', 'names', '-notext'],
    ...['-startdate', from, '-enddate', until],
    ...['-keyfile', 'key.pem', '-in', 'request.pem', '-out', 'cert.pem'],
  );
  return { cert: await readFile(at('cert.pem'), 'utf8'), key: await readFile(at('key.pem'), 'utf8') };
}

/** What a client says of a broker that behaves like this in the handshake. */
async function saidOf(
  driver: 'native' | 'kafkajs',
  options: TlsOptions,
): Promise<{ code: string; message: string; retryable: boolean }> {
  const server = createServer(options, (socket) => socket.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  const tls = { ca: join(folder, 'cert.pem'), insecure_skip_verify: false };
  const client = openKafka({ ...kafkaSettings({ driver, brokers }), tls }, { clock: realClock, log: quietLog });
  try {
    return (await client.cluster(AbortSignal.timeout(20_000)).catch((error: unknown) => error)) as {
      code: string;
      message: string;
      retryable: boolean;
    };
  } finally {
    await client.close();
    server.close();
  }
}

describe.each(['native', 'kafkajs'] as const)('the driver %s refuses a broker', (driver) => {
  test.each([
    ['whose certificate has expired', '200101000000Z', '210101000000Z', /not valid today \(CERT_HAS_EXPIRED\)/],
    ['whose certificate is not valid yet', '450101000000Z', '460101000000Z', /not valid today \(CERT_NOT_YET_VALID\)/],
  ])('%s', async (_what, from, until, words) => {
    const error = await saidOf(driver, await certificate(from, until));
    expect(error).toMatchObject({ code: 'KAFKA_TLS', retryable: false });
    expect(error.message).toMatch(words);
  });

  test('that speaks TLS 1.1 at the most', async () => {
    const own = await certificate('200101000000Z', '460101000000Z');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const error = await saidOf(driver, { ...own, ...old });
    expect(error).toMatchObject({ code: 'KAFKA_TLS', retryable: false });
    expect(error.message).toMatch(/does not speak TLS 1\.2 or later/);
  });
});
