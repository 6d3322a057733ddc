import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '../../../scripts/services/certificates.ts';
import { sinkDefinition } from '../../../connectors/solr/index.ts';
import type { Json } from '../../../src/api/index.ts';
import { httpProxy } from '../../toolkit/support/http-servers.ts';
import { liveThrough, type Outcome } from '../support/live-through.ts';
import { allTaken, FakeSolr } from './support/fake-solr.ts';
import { sinkHarness, sinkOptions } from './support/sink.ts';

jest.setTimeout(60_000);

const record = { value: '{"amount":1}' };

let folder: string;
let certificates: Certificates;
let solr: FakeSolr;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-solr-reach-'));
  certificates = await makeCertificates(folder);
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  const { serverCertificate, ca, serverKey } = certificates;
  const [cert = '', authority = '', key = ''] = await Promise.all(
    [serverCertificate, ca, serverKey].map((file) => readFile(file, 'utf8')),
  );
  solr = await FakeSolr.start({ cert: cert + authority, key });
});
afterEach(() => solr.stop());

async function written(options: Record<string, Json>): Promise<boolean> {
  const harness = sinkHarness({ endpoints: [solr.url], tls: { ca: certificates.ca }, ...options });
  harness.append(0, [record]);
  await harness.start();
  const result = (await harness.write())!;
  await harness.stop();
  return 'failures' in result && result.failures.length === 0;
}

test('a token that has run out: the sink waits, and goes on with the one that replaces it in its file', async () => {
  const file = join(folder, 'token');
  await writeFile(file, 'old.jwt.token\n');
  solr.answer = (update, response) => {
    if (update.headers.authorization === 'Bearer new.jwt.token') allTaken(update, response);
    else response.writeHead(401, { 'content-type': 'text/html' }).end('<html>JWT expired</html>');
  };
  const options = { endpoints: [solr.url], tls: { ca: certificates.ca }, auth: { bearer_file: file } };
  const outcome: Outcome = await liveThrough({
    create: (context) => sinkDefinition.create(sinkOptions(options), context),
    order: sinkDefinition.order,
    records: [record, record],
    later: [record],
    says: /^paused: .*HTTP 401; check `auth`/,
    ends: () => writeFile(file, 'new.jwt.token\n'),
  });
  expect(outcome).toEqual({ deadLetters: {}, delivered: 3 });
});

test('over TLS: an authority, the fingerprint of one, and of the server', async () => {
  const fingerprintOf = async (path: string): Promise<string> =>
    new X509Certificate(await readFile(path)).fingerprint256;
  expect(await written({})).toBe(true);
  expect(await written({ tls: { fingerprint: await fingerprintOf(certificates.ca) } })).toBe(true);
  expect(await written({ tls: { fingerprint: await fingerprintOf(certificates.serverCertificate) } })).toBe(true);
  expect(await written({ tls: { fingerprint: await fingerprintOf(certificates.clientCertificate) } })).toBe(false);
});

test('through a proxy, which sees nothing of it', async () => {
  const proxy = await httpProxy();
  expect(await written({ proxy: { url: `http://127.0.0.1:${proxy.port}` } })).toBe(true);
  expect(proxy.requests.map(({ method }) => method)).toContain('CONNECT');
  expect(proxy.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  await proxy.stop();
});
