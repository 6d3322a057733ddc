import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '../../../scripts/services/certificates.ts';
import { sinkDefinition } from '../../../connectors/solr/index.ts';
import type { Json } from '../../../src/api/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { freePorts } from '../../../src/testing/free-ports.ts';
import { ownServer, serverSuite, uniqueName, type OwnServer } from '../../support/servers.ts';
import { liveThrough, type Outcome } from '../support/live-through.ts';
import { sinkOptions } from './support/sink.ts';
import { RealSolr } from './support/solr.ts';

const records = [{ value: '{"amount":1}' }, { value: '{"amount":2}' }];
const operator = { username: 'operator', password: 'correct' };
const done = { deadLetters: {}, delivered: 4 };

serverSuite('solr: a core of a server with basic authentication and TLS', [], () => {
  let folder: string;
  let certificates: Certificates;
  let server: OwnServer<'solr'>;
  let url: string;
  let solr: RealSolr;
  let core: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-solr-'));
    certificates = await makeCertificates(folder);
    const [port] = (await freePorts(1)) as [number];
    server = await ownServer('solr', {
      users: `${operator.username}:${operator.password}:admin,guest:look:reader`,
      'sluice.keyStore': certificates.keyStore,
      'sluice.securePort': port,
    });
    url = `https://localhost:${port}/solr`;
    const secret = Buffer.from(`${operator.username}:${operator.password}`).toString('base64');
    solr = new RealSolr(server.where.url, `Basic ${secret}`);
  }, 600_000);

  afterAll(async () => {
    await server.down();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    core = uniqueName('secured');
    await solr.createCore(core);
  });

  const optionsOf = (more: Record<string, Json>): Record<string, Json> => ({
    endpoints: [url],
    core,
    auth: { basic: operator },
    tls: { ca: certificates.ca },
    ...more,
  });

  const through = (
    more: Record<string, Json> = {},
    fault: { says?: RegExp; ends?: () => Promise<unknown> } = {},
  ): Promise<Outcome> =>
    liveThrough({
      create: (context) => sinkDefinition.create(sinkOptions(optionsOf(more)), context),
      order: sinkDefinition.order,
      records,
      later: records,
      ...fault,
    });

  test('credentials and an authority, or its fingerprint', async () => {
    expect(await through()).toEqual(done);
    const { fingerprint256: fingerprint } = new X509Certificate(await readFile(certificates.ca));
    expect(await through({ tls: { fingerprint } })).toEqual(done);
    expect(await solr.count(core)).toBe(4);
  });

  test('wrong credentials: it waits, and goes on when Solr knows them', async () => {
    const basic = { username: uniqueName('ada'), password: 'new' };
    const says = /^paused: .*HTTP 401; check `auth`/;
    const ends = async (): Promise<void> => {
      await solr.ask('/admin/authentication', JSON.stringify({ 'set-user': { [basic.username]: basic.password } }));
      await solr.ask('/admin/authorization', JSON.stringify({ 'set-user-role': { [basic.username]: ['admin'] } }));
    };
    expect(await through({ auth: { basic } }, { says, ends })).toEqual(done);
    expect(await solr.count(core)).toBe(4);
  });

  test('a user that may not write: it waits, and goes on when he may', async () => {
    const says = /^paused: .*HTTP 403; give these credentials the right to write there/;
    const grant = (role: string) => (): Promise<unknown> =>
      solr.ask('/admin/authorization', JSON.stringify({ 'set-user-role': { guest: [role] } }));
    const auth = { basic: { username: 'guest', password: 'look' } };
    try {
      expect(await through({ auth }, { says, ends: grant('admin') })).toEqual(done);
    } finally {
      await grant('reader')();
    }
    expect(await solr.count(core)).toBe(4);
  });

  test('`validate --connect` names what is wrong with each', async () => {
    const check = (more: Record<string, Json>): Promise<string> => {
      const context = {
        log: { debug: () => undefined } as never,
        clock: realClock,
        outbound: { deny: [], allow: [] },
        signal: AbortSignal.timeout(10_000),
      };
      return sinkDefinition.check!(sinkOptions(optionsOf(more)), context).then(
        () => 'good',
        (error: unknown) => (error as Error).message,
      );
    };
    expect(await check({})).toBe('good');
    expect(await check({ auth: { basic: { username: 'operator', password: 'wrong' } } })).toMatch(
      /HTTP 401; check `auth`$/,
    );
    expect(await check({ tls: {} })).toMatch(/TLS: .*unknown authority; see `tls\.ca`$/);
    expect(await check({ tls: { ca: certificates.ca, server_name: 'else' } })).toMatch(
      /another name; see `tls\.server_name`$/,
    );
  });
});
