import type { WriteResult } from '../../src/api/index.ts';
import type { TestRecord } from '../../src/testing/batches.ts';
import type { SinkHarness } from '../../src/testing/index.ts';
import { FakeServer } from '../connectors/elasticsearch/support/fake-server.ts';
import { sinkHarness as searchHarness, type System } from '../connectors/elasticsearch/support/sink.ts';
import { FakeSolr } from '../connectors/solr/support/fake-solr.ts';
import { sinkHarness as solrHarness } from '../connectors/solr/support/sink.ts';

jest.setTimeout(30_000);

/** What stands in records reaches search systems as names, ids and documents, and as nothing else. */

async function attempt(harness: SinkHarness, records: readonly (string | TestRecord)[]): Promise<WriteResult> {
  harness.append(0, [...records]);
  await harness.start();
  try {
    return (await harness.write())!;
  } finally {
    await harness.stop();
  }
}

/** By index, what became of those that were not taken. */
function refused(result: WriteResult): Record<number, string> {
  if ('batch' in result) throw result.batch.error;
  return Object.fromEntries(
    result.failures.map(({ index, disposition, error }) => [index, `${disposition} ${error.code}`]),
  );
}

/** None of them is a name that `logs-…` may become. */
const outside = [
  '*',
  '../x',
  'a/b',
  'a\\b',
  ' ',
  'Upper,_all',
  'a,.kibana',
  'a?b',
  'a#b',
  'x'.repeat(300),
  '\n',
  '<a>',
];

describe.each<System>(['elasticsearch', 'opensearch'])('%s', (system) => {
  let server: FakeServer;
  beforeEach(async () => {
    server = await FakeServer.start();
  });
  afterEach(() => server.stop());

  test('a host in the name of an index leads to no index but its own, and to no request but one', async () => {
    const hosts = [...outside, '_all', '.kibana', '-x', 'web-1'];
    const records = hosts.map((host) => JSON.stringify({ host }));
    const harness = searchHarness({ endpoints: [server.url], index: 'logs-{{ value.host }}' }, { system });
    const result = refused(await attempt(harness, records));
    for (const index of outside.keys()) expect(`${index} ${result[index]}`).toBe(`${index} reject TEMPLATE_ESCAPED`);
    const [{ url, body }] = server.requests as [(typeof server.requests)[number]];
    expect(server.requests).toHaveLength(1);
    // Actions without a name of their own go to that of the request.
    const [, common = ''] = /^\/([^/?]+)\/_bulk\?/.exec(url) ?? [];
    const actions = body.split('\n').filter((line) => line.startsWith('{"create"'));
    const indexes = actions.map((line) => /"_index":"([^"]*)"/.exec(line)?.[1] ?? common);
    expect(indexes).toEqual(['logs-_all', 'logs-.kibana', 'logs--x', 'logs-web-1']);
  });

  test('a key or a value with an action of bulk in it makes no action', async () => {
    const action = '\n{"delete":{"_index":"other","_id":"1"}}\n';
    const records = [
      { key: `k${action}`, value: '{"n":1}' },
      { key: 'k2', value: JSON.stringify({ text: action }) },
      { key: 'k3', value: `{"n":${action}1}` },
      { key: 'k4', value: `{"n":1}${action}` },
    ];
    const harness = searchHarness({ endpoints: [server.url], mode: 'keyed' }, { system });
    const result = refused(await attempt(harness, records));
    expect(result[3]).toMatch(/^reject /);
    const lines = server.requests[0]!.body.trimEnd().split('\n');
    const actions = lines.filter((_line, at) => at % 2 === 0).map((line) => Object.keys(JSON.parse(line) as object));
    expect(actions).toEqual(actions.map(() => ['index']));
    expect(lines.length).toBe(2 * (records.length - Object.keys(result).length));
  });
});

describe('solr', () => {
  let solr: FakeSolr;
  beforeEach(async () => {
    solr = await FakeSolr.start();
    solr.facts['/admin/collections'] = {
      cluster: { live_nodes: ['n1'], collections: { c: { router: { name: 'implicit' }, shards: {} } } },
    };
  });
  afterEach(() => solr.stop());

  test('a host in the name of a collection leads to no collection but its own', async () => {
    const collection = 'logs-{{ value.host }}';
    const records = [...outside, 'web-1'].map((host) => JSON.stringify({ host }));
    const harness = solrHarness({ endpoints: [solr.url], collection });
    const result = refused(await attempt(harness, records));
    expect(Object.keys(result).map(Number)).toEqual([...outside.keys()]);
    expect(solr.updates.map(({ path }) => path)).toEqual(['/solr/logs-web-1/update']);
  });

  test('keys with local parameters, quotes and commands are ids, and fields that mean something to Solr are refused', async () => {
    const keys = ['{!term f=id}a', 'x" OR "y', '*:*', 'a"},"delete":{"query":"*:*"},"add":{"doc":{"id":"b', 'a\nb'];
    const reserved = ['_version_', '_root_', '_childDocuments_'].map((name) => `{"${name}":1}`);
    const records = [
      ...keys.map((key) => ({ key, value: '{"n":1}' })),
      ...keys.map((key) => ({ key, value: null })),
      ...reserved.map((value, n) => ({ key: `r${n}`, value })),
    ];
    const harness = solrHarness({ endpoints: [solr.url], core: 'orders', mode: 'keyed' });
    const result = refused(await attempt(harness, records));
    expect(result).toEqual(Object.fromEntries(reserved.map((_, n) => [2 * keys.length + n, 'reject SINK_REJECTED'])));
    const [{ body, adds, deletes }] = solr.updates as [(typeof solr.updates)[number]];
    expect([adds, deletes]).toEqual([keys, keys]);
    expect(body).not.toContain('"query"');
  });
});

describe('addresses where clouds serve credentials', () => {
  const outbound = { deny: ['169.254.0.0/16', '0.0.0.0/8', '::ffff:127.0.0.1'], allow: [] };

  test.each<System | 'solr'>(['elasticsearch', 'opensearch', 'solr'])('%s is not sent there', async (system) => {
    for (const host of ['169.254.169.254', '0.0.0.0', '[::ffff:169.254.169.254]']) {
      const endpoints = [`http://${host}:9${system === 'solr' ? '/solr' : ''}`];
      const harness =
        system === 'solr'
          ? solrHarness({ endpoints, core: 'orders' }, { outbound })
          : searchHarness({ endpoints }, { system, outbound });
      const result = await attempt(harness, ['{}']);
      const failure = 'batch' in result ? result.batch : result.failures[0]!;
      expect(failure).toMatchObject({
        disposition: 'block',
        error: { message: expect.stringContaining('denied by `outbound` of the hub file') as string },
      });
    }
  });
});
