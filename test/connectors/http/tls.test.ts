import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '../../../scripts/services/certificates.ts';
import { listen, received, stopAll } from './support/listener.ts';

let folder: string;
let certificates: Certificates;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-http-tls-'));
  certificates = await makeCertificates(folder);
}, 60_000);

afterEach(stopAll);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const serverTls = (): { cert: string; key: string } => ({
  cert: certificates.serverCertificate,
  key: certificates.serverKey,
});

async function agent(options: { client?: boolean; ca?: boolean; maxVersion?: 'TLSv1.1' } = {}): Promise<Agent> {
  return new Agent({
    ...(options.ca === false ? {} : { ca: await readFile(certificates.ca) }),
    ...(options.client === true
      ? { cert: await readFile(certificates.clientCertificate), key: await readFile(certificates.clientKey) }
      : {}),
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion, minVersion: 'TLSv1' }),
  });
}

test('serves over TLS those who trust its certificate, 1.2 at least', async () => {
  const { ask, raw, harness } = await listen({ tls: serverTls() });
  expect((await ask({ method: 'POST', agent: await agent() }, '{"a":1}')).status).toBe(200);
  await expect(ask({ method: 'POST', agent: await agent({ ca: false }) }, '{}')).rejects.toThrow('certificate');
  await expect(ask({ method: 'POST', agent: await agent({ maxVersion: 'TLSv1.1' }) }, '{}')).rejects.toThrow();
  expect(await raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}')).not.toContain(' 200 ');
  expect(harness.values).toEqual(['{"a":1}']);
});

test('with client authorities only clients with a certificate are served', async () => {
  const { ask, harness } = await listen({ tls: { ...serverTls(), client_ca: certificates.ca } });
  expect((await ask({ method: 'POST', agent: await agent({ client: true }) }, '{"a":1}')).status).toBe(200);
  await expect(ask({ method: 'POST', agent: await agent() }, '{"a":2}')).rejects.toThrow();
  expect(harness.values).toEqual(['{"a":1}']);
});

test('a handshake that does not come to an end is cut off', async () => {
  const { open, ask } = await listen({ tls: serverTls(), headers_timeout: 300, keep_alive: 300 });
  const silent = await open();
  const begun = await open();
  begun.write(Buffer.from([0x16, 0x03, 0x01]));
  const ends = [received(silent), received(begun)];
  expect((await ask({ method: 'POST', agent: await agent() }, '{}')).status).toBe(200);
  await Promise.all(ends);
});

test('a certificate that cannot be loaded is named', async () => {
  const missing = join(folder, 'missing.crt');
  await expect(listen({ tls: { ...serverTls(), cert: missing } })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining(missing) as string,
  });
  const other = { cert: certificates.clientCertificate, key: certificates.serverKey };
  await expect(listen({ tls: other })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
