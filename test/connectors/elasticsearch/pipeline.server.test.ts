import { stringify } from 'yaml';
import { cleanUp, HubFolder, type HubProcess } from '../../cli/support/hub-folder.ts';
import { runHere } from '../../cli/support/run-here.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { Elasticsearch } from './support/elasticsearch.ts';
import { Proxy } from '../support/proxy.ts';

serverSuite('pipelines into Elasticsearch', ['elasticsearch'], (where) => {
  let server: Elasticsearch;
  let index: string;

  beforeEach(() => {
    server = new Elasticsearch(where.elasticsearch.url);
    index = uniqueName('flow');
  });

  afterEach(cleanUp);

  /** A hub with one pipeline: lines of a file, through the embedded log. `words` stand beside the source. */
  async function hubOf(lines: readonly string[], sink: object = {}, words: object = {}): Promise<HubFolder> {
    const pipeline = {
      name: 'flow',
      sources: [{ file: { include: ['lines.ndjson'] }, ...('key' in words ? { key: words.key } : {}) }],
      topic: 'flow',
      sinks: [
        {
          elasticsearch: { endpoints: [where.elasticsearch.url], index, ...sink },
          retry: { min: '20ms', max: '200ms' },
          batch: { max_records: 50 },
        },
      ],
    };
    const folder = await HubFolder.create({ 'flow.yaml': stringify(pipeline) });
    await folder.write('lines.ndjson', lines.map((line) => `${line}\n`).join(''));
    return folder;
  }

  async function ended(hub: HubProcess): Promise<{ code: number | null; stderr: string }> {
    return { code: await hub.exit(), stderr: hub.stderr };
  }

  const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `{"n":${n}}`);

  test('99 good documents and one that breaks the mapping: 99 once, one dead letter with code, reason and place', async () => {
    await server.ask('PUT', `/${index}`, { mappings: { properties: { n: { type: 'long' } } } });
    const folder = await hubOf(numbered(100).with(42, '{"n":"not a number"}'));
    expect(await ended(folder.run('--once'))).toMatchObject({ code: 3 });
    expect(await server.count(index)).toBe(99);
    const shown = folder.sluice('dlq', 'show', 'flow');
    expect(await shown.exit()).toBe(0);
    expect(shown.stdout).toMatch(/flow\+[\w-]{8}\+\d+\+42\b/);
    expect(shown.stdout).toMatch(/SINK_REJECTED[\s\S]*document_parsing_exception[\s\S]*\[n\][\s\S]*long/);
    expect(shown.stdout).toContain('{"n":"not a number"}');
    expect(shown.stdout.match(/SINK_REJECTED/g)).toHaveLength(1);
    // Once more, with nothing new: nothing happens.
    expect(await ended(folder.run('--once'))).toMatchObject({ code: 0 });
    expect(await server.count(index)).toBe(99);
  });

  test('answers that are lost, two endpoints of which one is dead: each record is one document', async () => {
    const dead = await Proxy.start(where.elasticsearch.url);
    await dead.stop();
    const proxy = await Proxy.start(where.elasticsearch.url);
    proxy.swallows = 5;
    const folder = await hubOf(numbered(500), { endpoints: [dead.url, proxy.url] });
    expect(await ended(folder.run('--once'))).toMatchObject({ code: 0 });
    expect(proxy.swallowed).toBe(5);
    expect(await server.count(index)).toBe(500);
    await proxy.stop();
  });

  test('documents that are refused with 429 are tried again, and only those', async () => {
    const full = `${index}-full`;
    await server.ask('PUT', `/${full}`);
    await server.ask('PUT', `/${full}/_settings`, { 'index.blocks.read_only_allow_delete': true });
    const lines = Array.from({ length: 40 }, (_, n) => JSON.stringify({ n, to: n % 2 === 0 ? 'full' : 'free' }));
    const folder = await hubOf(lines, { index: `${index}-{{ value.to }}` });
    const hub = folder.run();
    await hub.until('the others are written', () => count(`${index}-free`).then((found) => found === 20));
    const status = async (): Promise<string> => (await folder.api('/status')).body;
    await hub.until('it is degraded and says why', async () => /degraded.*flood-stage/s.test(await status()));
    await server.ask('PUT', `/${full}/_settings`, { 'index.blocks.read_only_allow_delete': null });
    await hub.until('those are written, too', () => count(full).then((found) => found === 20));
    expect(await hub.end('SIGTERM')).toBe(0);
    expect(await count(`${index}-free`)).toBe(20);
  });

  test('a cluster that is away is waited for: nothing is lost, nothing becomes a dead letter', async () => {
    const proxy = await Proxy.start(where.elasticsearch.url);
    const folder = await hubOf(numbered(200), { endpoints: [proxy.url] });
    proxy.isOpen = false;
    const hub = folder.run();
    await hub.until('it says what it waits for', async () => {
      const { body } = await folder.api('/status').catch(() => ({ body: '' }));
      return /degraded.*localhost:\d+.*_bulk/s.test(body);
    });
    proxy.isOpen = true;
    await hub.until('all are written', () => count(index).then((found) => found === 200));
    expect(await hub.end('SIGTERM')).toBe(0);
    const listed = folder.sluice('dlq', 'list');
    expect(await listed.exit()).toBe(0);
    expect(listed.stdout).not.toMatch(/flow\.dead\s+[1-9]/);
    await proxy.stop();
  });

  test('two hubs with one pipeline and an embedded log each write one index: the count is the sum', async () => {
    const folders = await Promise.all([hubOf(numbered(150)), hubOf(numbered(100))]);
    const hubs = await Promise.all(folders.map((folder) => ended(folder.run('--once'))));
    expect(hubs).toMatchObject([{ code: 0 }, { code: 0 }]);
    expect(await server.count(index)).toBe(250);
  });

  test('keyed: the last record of each key is left', async () => {
    const lines = Array.from({ length: 300 }, (_, n) => JSON.stringify({ id: `k${n % 7}`, n }));
    const folder = await hubOf(lines, { mode: 'keyed' }, { key: 'value.id' });
    expect(await ended(folder.run('--once'))).toMatchObject({ code: 0 });
    const expected = Object.fromEntries(
      Array.from({ length: 7 }, (_, k) => [
        `k${k}`,
        { id: `k${k}`, n: lines.length - 1 - ((lines.length - 1 - k) % 7) },
      ]),
    );
    expect(await server.documents(index)).toEqual(expected);
  });

  test('keyed: dead letters that are replayed change what is there, once, and bring nothing back unless told', async () => {
    const mappings = { dynamic: 'strict', properties: { id: { type: 'keyword' }, n: { type: 'long' } } };
    await server.ask('PUT', `/${index}`, { mappings });
    const refused = ['{"id":"a","m":1}', '{"id":"b","m":2}', '{"id":"c","m":3}'];
    const lines = ['{"id":"a","n":0}', '{"id":"c","n":0}', ...refused, '{"id":"c","n":1}'];
    const folder = await hubOf(lines, { mode: 'keyed' }, { key: 'value.id' });
    expect(await ended(folder.run('--once'))).toMatchObject({ code: 3 });
    await server.ask('PUT', `/${index}/_mapping`, { properties: { m: { type: 'long' } } });
    const documents = { a: { id: 'a', m: 1 }, c: { id: 'c', n: 1 } };
    for (const written of [1, 0]) {
      const { code, stdout } = await runHere(folder.path, ['dlq', 'replay', 'flow']);
      expect([code, stdout]).toEqual([0, expect.stringMatching(/2 delivered, 1 left out\./)]);
      expect(stdout).toMatch(new RegExp(`${written} written, ${2 - written} were older.*, 1 are not there any more`));
      expect(await server.documents(index)).toEqual(documents);
    }
    const { stdout } = await runHere(folder.path, ['dlq', 'replay', 'flow', '--resurrect']);
    expect(stdout).toContain('3 delivered.');
    expect(await server.documents(index)).toEqual({ ...documents, b: { id: 'b', m: 2 } });
  });

  const count = (name: string): Promise<number> => server.count(name).catch(() => 0);
});
