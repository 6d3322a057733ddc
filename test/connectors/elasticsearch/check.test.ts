import { FakeServer } from './support/fake-server.ts';
import { checked } from './support/check.ts';

let server: FakeServer;
/** What the server has to say, by path; 404 for others. */
let pages: Record<string, readonly [status: number, body: object]>;

beforeEach(async () => {
  pages = { '/': [200, { version: { number: '9.5.3' }, cluster_uuid: 'one' }] };
  server = await FakeServer.start(({ url }, response) => {
    const [status, body] = pages[url.split('?')[0]!] ?? [404, {}];
    response.statusCode = status;
    response.end(JSON.stringify(body));
  });
});

afterEach(() => server.stop());

const privileges = '/_security/user/_has_privileges';

test('privileges that are missing are named, for what the mode needs', async () => {
  pages[privileges] = [200, { username: 'sluice', has_all_requested: false }];
  expect(await checked({ endpoints: [server.url], index: 'logs-{{ key }}' })).toBe(
    'SINK_BLOCKED asking for privileges: create_doc on "logs-*" are missing; grant them',
  );
  expect(JSON.parse(server.requests.at(-1)!.body)).toEqual({
    index: [{ names: ['logs-*'], privileges: ['create_doc'] }],
  });
  expect(await checked({ endpoints: [server.url], mode: 'keyed' })).toContain('index and delete on "test"');
  pages[privileges] = [200, { has_all_requested: true }];
  expect(await checked({ endpoints: [server.url] })).toBe('fine');
});

test('credentials that are refused, and pages that only they are not shown', async () => {
  pages['/'] = [401, { error: { type: 'security_exception', reason: 'unable to authenticate' } }];
  expect(await checked({ endpoints: [server.url], auth: { api_key: 'eA==' } })).toMatch(
    /^SINK_BLOCKED GET http.*: HTTP 401 security_exception: unable to authenticate$/,
  );
  pages = { '/': [200, { version: { number: '8.19.2' } }] };
  for (const page of [privileges, '/test/_settings', '/_ingest/pipeline/p']) pages[page] = [403, {}];
  expect(await checked({ endpoints: [server.url], pipeline: 'p' })).toBe('fine');
});

test('servers that are too old, or of different clusters', async () => {
  pages['/'] = [200, { version: { number: '7.10.2' }, cluster_uuid: 'one' }];
  expect(await checked({ endpoints: [server.url] })).toMatch(/version 7\.10\.2 is older than 7\.14$/);
  pages['/'] = [200, { version: { number: '7.17.0' }, cluster_uuid: 'one' }];
  const other = await FakeServer.start((_request, response) => {
    response.end('{"version":{"number":"8.0.0"},"cluster_uuid":"two"}');
  });
  expect(await checked({ endpoints: [server.url, other.url] })).toBe(
    `SINK_BLOCKED comparing endpoints: ${server.url} and ${other.url} belong to different clusters`,
  );
  await other.stop();
});

test('a cluster that makes no indexes', async () => {
  pages['/_index_template'] = [200, {}];
  pages['/_cluster/settings'] = [200, { defaults: { action: { auto_create_index: 'false' } } }];
  expect(await checked({ endpoints: [server.url] })).toMatch(/`action\.auto_create_index` is false; create it$/);
});
