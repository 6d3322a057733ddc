import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../scripts/services/certificates.ts';
import { clientTlsProblems, explainTlsFailure, loadClientTls, warnUnverified } from '../../src/toolkit/index.ts';
import type { Logger } from '../../src/api/index.ts';
import { ManualClock } from '../../src/testing/index.ts';

const plain = { insecure_skip_verify: false };

test('files that cannot be used are named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-client-tls-'));
  const made = await makeCertificates(folder);
  const garbage = join(folder, 'garbage.pem');
  await writeFile(garbage, 'no certificate');
  const good = { ...plain, ca: made.ca, cert: made.clientCertificate, key: made.clientKey, server_name: 'es' };
  expect(await loadClientTls(good)).toMatchObject({
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    servername: 'es',
  });
  expect(await loadClientTls({ insecure_skip_verify: true })).toMatchObject({ rejectUnauthorized: false });
  const missing = join(folder, 'missing.pem');
  await expect(loadClientTls({ ...plain, ca: missing })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: `reading the authorities "${missing}"`,
  });
  await expect(loadClientTls({ ...good, cert: garbage })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining(garbage) as string,
  });
  await expect(loadClientTls({ ...good, key: made.serverKey })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  await rm(folder, { recursive: true });
});

test('what does not go together', () => {
  const messages = (options: Parameters<typeof clientTlsProblems>[0]): string[] =>
    clientTlsProblems(options, ['tls']).map(({ path, message }) => `${path.join('.')}: ${message}`);
  expect(messages({ ...plain, cert: 'c', key: 'k', passphrase: 'p', ca: 'a' })).toEqual([]);
  expect(messages({ ...plain, key: 'k' })).toEqual([
    'tls.key: `key` needs `cert` beside it: the certificate of that key',
  ]);
  expect(messages({ ...plain, passphrase: 'p' })).toEqual([
    'tls.passphrase: `passphrase` decrypts a private key, and there is no `key`',
  ]);
});

test('who verifies nobody is told so every minute, as long as the leg lives', async () => {
  const clock = new ManualClock();
  const life = new AbortController();
  let warned = 0;
  const log = { warn: () => warned++ } as unknown as Logger;
  const context = { clock, log, signal: life.signal };
  warnUnverified(undefined, context);
  warnUnverified(plain, context);
  expect(warned).toBe(0);
  warnUnverified({ insecure_skip_verify: true }, context);
  expect(warned).toBe(1);
  for (const expected of [2, 3]) {
    await clock.advance(60_000);
    expect(warned).toBe(expected);
  }
  life.abort();
  await clock.advance(300_000);
  expect(warned).toBe(3);
});

test('failures of TLS are told from others', () => {
  expect(explainTlsFailure('connect ECONNREFUSED 127.0.0.1:9200')).toBeNull();
  expect(explainTlsFailure('other side closed')).toBeNull();
  expect(explainTlsFailure('unable to verify the first certificate')).toContain('tls.ca');
  expect(explainTlsFailure('ssl3_read_bytes:tlsv13 alert certificate required')).toContain('tls.cert');
});
