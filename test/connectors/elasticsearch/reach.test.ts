import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '../../../scripts/services/certificates.ts';
import type { Json, OutboundRules } from '../../../src/api/index.ts';
import { httpProxy, type TestServer } from '../../toolkit/support/http-servers.ts';
import { allWritten, FakeServer } from './support/fake-server.ts';
import { sinkHarness, unresolvedOptions, definitions, type System } from './support/sink.ts';

jest.setTimeout(60_000);

function last<Request>(requests: readonly Request[]): Request {
  return requests[requests.length - 1]!;
}

/** How both sinks reach their servers is the same: credentials, TLS, proxies, addresses that are denied. */
describe.each<System>(['elasticsearch', 'opensearch'])('the sink %s', (system) => {
  let folder: string;
  let certificates: Certificates;
  let server: FakeServer;
  let secured: FakeServer;
  let proxy: TestServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-reach-'));
    certificates = await makeCertificates(folder);
    const files = [certificates.serverCertificate, certificates.ca, certificates.serverKey];
    const [cert = '', ca = '', key = ''] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    server = await FakeServer.start();
    secured = await FakeServer.start(allWritten, { cert: cert + ca, key });
    proxy = await httpProxy();
  });

  afterAll(async () => {
    await Promise.all([server.stop(), secured.stop(), proxy.stop(), rm(folder, { recursive: true })]);
  });

  /** `written`, or what became of the batch. */
  async function attempt(
    options: Record<string, Json>,
    outbound: OutboundRules = { deny: [], allow: [] },
  ): Promise<string> {
    const harness = sinkHarness({ endpoints: [server.url], ...options }, { system, outbound });
    harness.append(0, ['{"n":1}']);
    await harness.start();
    try {
      const result = (await harness.write())!;
      if ('batch' in result) return `${result.batch.disposition}: ${result.batch.error.message}`;
      return result.failures.length === 0 ? 'written' : 'refused';
    } finally {
      await harness.stop();
    }
  }

  test('credentials of each kind; a token in a file is read again when it has changed', async () => {
    const file = join(folder, 'token');
    await writeFile(file, 'from-file\n');
    const kinds: [Record<string, Json>, string][] = [
      [{ basic: { username: 'ada', password: 'p:q' } }, `Basic ${Buffer.from('ada:p:q').toString('base64')}`],
      [{ bearer: 'token' }, 'Bearer token'],
      [{ bearer_file: file }, 'Bearer from-file'],
    ];
    for (const [auth, header] of kinds) {
      expect(await attempt({ auth })).toBe('written');
      expect(last(server.requests).headers.authorization).toBe(header);
    }
    await writeFile(file, 'renewed');
    expect(await attempt({ auth: { bearer_file: file } })).toBe('written');
    expect(last(server.requests).headers.authorization).toBe('Bearer renewed');
  });

  test('a fingerprint: of the server, of its authority, of somebody else', async () => {
    const fingerprint = async (certificate: string): Promise<string> =>
      new X509Certificate(await readFile(certificate)).fingerprint256;
    const pinned = async (certificate: string): Promise<string> =>
      attempt({ endpoints: [secured.url], tls: { fingerprint: await fingerprint(certificate) } });
    expect(await pinned(certificates.serverCertificate)).toBe('written');
    expect(await pinned(certificates.ca)).toBe('written');
    expect(await pinned(certificates.clientCertificate)).toMatch(
      /^block: POST .*TLS: .*not that of `tls\.fingerprint`/,
    );
    expect(await attempt({ endpoints: [secured.url] })).toMatch(/^block: .*unknown authority; see `tls\.ca`$/);
  });

  test('a proxy: it forwards plain requests, and sees nothing of those over TLS', async () => {
    const url = `http://127.0.0.1:${proxy.port}`;
    // It answers itself, as no bulk does.
    expect(await attempt({ endpoints: ['http://cluster.example:9200'], proxy: { url } })).toMatch(/^(?:retry|block): /);
    expect(last(proxy.requests).url).toMatch(/^http:\/\/cluster\.example:9200\/test\/_bulk\?/);
    const tls = { ca: certificates.ca };
    expect(await attempt({ endpoints: [secured.url], proxy: { url }, tls })).toBe('written');
    expect(last(proxy.requests)).toMatchObject({ method: 'CONNECT', url: new URL(secured.url).host });
    const seen = proxy.requests.length;
    expect(await attempt({ endpoints: [secured.url], proxy: 'off', tls })).toBe('written');
    expect(proxy.requests).toHaveLength(seen);
  });

  test('an address that the hub denies is not connected to', async () => {
    const asked = server.requests.length;
    expect(await attempt({}, { deny: ['127.0.0.0/8'], allow: [] })).toMatch(/^block: .*denied by `outbound`/);
    expect(server.requests).toHaveLength(asked);
  });

  test('what has no effect beside a fingerprint is named', () => {
    const tls = { fingerprint: 'AA'.repeat(32), ca: 'ca.crt' };
    const options = unresolvedOptions({ endpoints: ['https://a:9200'], tls });
    expect(definitions[system].validate!(options).map(({ path }) => path.join('.'))).toEqual(['tls.ca']);
  });
});
