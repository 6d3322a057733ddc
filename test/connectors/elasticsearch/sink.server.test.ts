import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../../scripts/services/certificates.ts';
import type { Json } from '../../../src/api/index.ts';
import type { SinkHarness } from '../../../src/testing/index.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { Elasticsearch } from './support/elasticsearch.ts';
import { Proxy } from '../support/proxy.ts';
import { sinkHarness } from './support/sink.ts';

serverSuite('the Elasticsearch sink', ['elasticsearch'], (where) => {
  let server: Elasticsearch;
  let index: string;
  const harnesses: SinkHarness[] = [];

  beforeEach(() => {
    server = new Elasticsearch(where.elasticsearch.url);
    index = uniqueName('docs');
  });

  afterEach(async () => {
    for (const harness of harnesses.splice(0)) await harness.stop();
  });

  async function started(options: Record<string, Json> = {}, partitions = 1): Promise<SinkHarness> {
    const harness = sinkHarness({ endpoints: [where.elasticsearch.url], index, ...options }, { partitions });
    await harness.start();
    harnesses.push(harness);
    return harness;
  }

  /** What one attempt at these values comes to. */
  async function dispositions(values: readonly string[], options: Record<string, Json> = {}): Promise<string[]> {
    const harness = await started(options);
    harness.append(0, values);
    const result = (await harness.write())!;
    if ('batch' in result) return [`batch: ${result.batch.disposition}: ${result.batch.error.message}`];
    return result.failures.map((failure) => `${failure.index}: ${failure.disposition}: ${failure.error.message}`);
  }

  test('a batch becomes documents under the ids of its records, and is there once however often it is sent', async () => {
    const harness = await started({}, 2);
    harness.append(0, ['{"n":1}', ' {\n  "n": 2\n}\r\n']);
    harness.append(1, ['{"n":3,"text":"ä\\n\\u0000"}']);
    expect(await harness.write()).toEqual({ failures: [] });
    expect(harness.status).toBe('3 written');
    await harness.start();
    expect(await harness.write()).toEqual({ failures: [] });
    expect(harness.status).toBe('0 written, 3 were there already');
    expect(await server.documents(index)).toEqual({
      'lines+AAAAAAAA+0+0': { n: 1 },
      'lines+AAAAAAAA+0+1': { n: 2 },
      'lines+AAAAAAAA+1+0': { n: 3, text: 'ä\n\u0000' },
    });
  });

  test('numbers arrive as they were written', async () => {
    await server.ask('PUT', `/${index}`, { mappings: { enabled: false } });
    const value = '{"big":12345678901234567890123,"exact":1.10}';
    expect(await dispositions([value])).toEqual([]);
    await server.ask('POST', `/${index}/_refresh`);
    const text = await (await fetch(`${server.url}/${index}/_search`)).text();
    expect(text).toContain(value);
  });

  test('an index for each record', async () => {
    const values = ['{"to":"a"}', '{"to":"b"}', '{"to":"Upper"}', '{"to":"a"}'];
    const refusals = await dispositions(values, { index: `${index}-{{ value.to }}` });
    expect(refusals).toEqual([
      expect.stringMatching(/^2: reject: .*invalid_index_name_exception.*must be lowercase/) as string,
    ]);
    expect([await server.count(`${index}-a`), await server.count(`${index}-b`)]).toEqual([2, 1]);
  });

  test('gzip', async () => {
    const values = Array.from({ length: 500 }, (_, n) => JSON.stringify({ n, text: 'the same again '.repeat(20) }));
    expect(await dispositions(values, { gzip: true })).toEqual([]);
    expect(await server.count(index)).toBe(500);
  });

  test('a document that the mapping refuses is refused alone', async () => {
    await server.ask('PUT', `/${index}`, { mappings: { dynamic: 'strict', properties: { n: { type: 'long' } } } });
    const values = ['{"n":1}', '{"n":"many"}', '{"m":1}', '{"n":{"a":1}}', '{"n":2,"n":3}', '{"n":4}'];
    expect(await dispositions(values)).toEqual([
      expect.stringMatching(/^1: reject: .*HTTP 400 document_parsing_exception: .*\[n\].*'many'/) as string,
      expect.stringMatching(/^2: reject: .*HTTP 400 strict_dynamic_mapping_exception: /) as string,
      expect.stringMatching(/^3: reject: .*HTTP 400 document_parsing_exception: /) as string,
      expect.stringMatching(/^4: reject: .*HTTP 400 document_parsing_exception: .*Duplicate field/) as string,
    ]);
    expect(await server.count(index)).toBe(2);
  });

  test('what needs an operator: read-only, closed, no write index, no pipeline', async () => {
    await server.ask('PUT', `/${index}`);
    await server.ask('PUT', `/${index}/_block/write`);
    expect(await dispositions(['{}'])).toEqual([expect.stringMatching(/^0: block: .*lift the block$/) as string]);
    await server.ask('PUT', `/${index}/_settings`, { 'index.blocks.write': null });
    expect(await dispositions(['{}'])).toEqual([]);
    await server.ask('POST', `/${index}/_close`);
    expect(await dispositions(['{}'])).toEqual([expect.stringMatching(/^0: block: .*open the index$/) as string]);
    const alias = `${index}-alias`;
    for (const name of ['one', 'two']) await server.ask('PUT', `/${index}-${name}`, { aliases: { [alias]: {} } });
    expect(await dispositions(['{}'], { index: alias })).toEqual([
      expect.stringMatching(/^0: block: .*give the alias a write index$/) as string,
    ]);
    expect(await dispositions(['{}'], { index: `${index}-one`, pipeline: 'nowhere' })).toEqual([
      expect.stringMatching(/^0: block: .*create the ingest pipeline/) as string,
    ]);
  });

  test('what passes by itself: a disk above its flood stage, a shard without a node', async () => {
    await server.ask('PUT', `/${index}`);
    await server.ask('PUT', `/${index}/_settings`, { 'index.blocks.read_only_allow_delete': true });
    expect(await dispositions(['{}'])).toEqual([
      expect.stringMatching(/^0: retry: .*HTTP 429 cluster_block_exception.*flood-stage/) as string,
    ]);
    await server.ask('PUT', `/${index}/_settings`, { 'index.blocks.read_only_allow_delete': null });
    const stuck = `${index}-stuck`;
    const settings = { 'index.routing.allocation.require._name': 'nobody' };
    await server.ask('PUT', `/${stuck}?wait_for_active_shards=0`, { settings });
    expect(await dispositions(['{}'], { index: stuck, request_timeout: '1s' })).toEqual([
      expect.stringMatching(/^0: retry: .*HTTP 503 unavailable_shards_exception/) as string,
    ]);
  });

  test('an ingest pipeline, and what it refuses', async () => {
    await server.ask('PUT', `/_ingest/pipeline/${index}`, {
      processors: [{ set: { field: 'seen', value: 1 } }, { fail: { message: 'boom', if: undefined } }],
    });
    expect(await dispositions(['{}'], { pipeline: index })).toEqual([
      expect.stringMatching(/^0: reject: .*illegal_argument_exception: boom$/) as string,
    ]);
    await server.ask('PUT', `/_ingest/pipeline/${index}`, { processors: [{ set: { field: 'seen', value: 1 } }] });
    expect(await dispositions(['{"n":1}'], { pipeline: index })).toEqual([]);
    expect(Object.values(await server.documents(index))).toEqual([{ n: 1, seen: 1 }]);
  });

  test('a data stream, with the time of the records', async () => {
    await server.ask('PUT', `/_index_template/${index}`, { index_patterns: [index], data_stream: {} });
    expect(await dispositions(['{"n":1}'])).toEqual([
      expect.stringMatching(/^0: reject: .*timestamp field \[@timestamp\] is missing/) as string,
    ]);
    const harness = await started({ data_stream: true });
    const timestamp = Date.UTC(2026, 10, 25, 17, 3, 9, 7);
    harness.append(0, [
      { value: '{"n":2}', timestamp },
      { value: '{"@timestamp":"2026-01-01T00:00:00Z"}', timestamp },
    ]);
    expect(await harness.write()).toEqual({ failures: [] });
    expect(Object.values(await server.documents(index))).toEqual([
      { '@timestamp': '2026-11-25T17:03:09.007Z', n: 2 },
      { '@timestamp': '2026-01-01T00:00:00Z' },
    ]);
    expect(await dispositions(['{}'], { mode: 'keyed' })).toEqual([
      expect.stringMatching(/^0: reject: naming a document: the record has no key$/) as string,
    ]);
  });

  test('keyed: the newest record of a key is there, in whatever order they come and however often', async () => {
    const harness = await started({ mode: 'keyed' });
    const records = [
      { key: 'a', value: '{"rev":0}' },
      { key: 'b', value: '{"rev":1}' },
      { key: 'a', value: '{"rev":2}' },
      { key: 'c', value: '{"rev":3}' },
      { key: 'b', value: null },
      { key: 'gone', value: null },
      { key: 'c', value: '{"rev":6}' },
    ];
    harness.append(0, records);
    expect(await harness.write({ maxRecords: 3 })).toEqual({ failures: [] });
    expect(await harness.write()).toEqual({ failures: [] });
    const expected = { a: { rev: 2 }, c: { rev: 6 } };
    expect(await server.documents(index)).toEqual(expected);
    // A life later, all of them come once more.
    await harness.start();
    expect(await harness.write({ maxRecords: 2 })).toEqual({ failures: [] });
    expect(harness.status).toBe('0 written, 2 were older than what is there');
    expect(await harness.write()).toEqual({ failures: [] });
    expect(await server.documents(index)).toEqual(expected);
  });

  test('keyed by a version of the records: an older one changes nothing, of two with the same the last one wins', async () => {
    const harness = await started({ mode: 'keyed', version: 'value.rev' });
    const values = [5, 3, 5].map((rev, at) => ({ key: 'k', value: JSON.stringify({ rev, at }) }));
    harness.append(0, values);
    expect(await harness.write()).toEqual({ failures: [] });
    expect(await server.documents(index)).toEqual({ k: { rev: 5, at: 2 } });
    const byTime = await started({ mode: 'keyed', version: 'timestamp', index: `${index}-time` });
    byTime.append(0, [
      { key: 'k', value: '{"n":1}', timestamp: 2000 },
      { key: 'k', value: '{"n":2}', timestamp: 1000 },
      { key: 'd', value: '{}', timestamp: 1000 },
      { key: 'd', value: null, timestamp: 1000 },
    ]);
    expect(await byTime.write()).toEqual({ failures: [] });
    expect(await server.documents(`${index}-time`)).toEqual({ k: { n: 1 } });
  });

  test('an answer that is lost on its way: the batch is sent again, and is there once', async () => {
    const proxy = await Proxy.start(where.elasticsearch.url);
    const harness = await started({ endpoints: [proxy.url] });
    harness.append(
      0,
      Array.from({ length: 300 }, (_, n) => `{"n":${n}}`),
    );
    proxy.swallows = 1;
    expect(await harness.write()).toMatchObject({ batch: { disposition: 'retry' } });
    expect(await server.count(index)).toBe(300);
    expect(await harness.write()).toEqual({ failures: [] });
    expect(proxy.swallowed).toBe(1);
    expect(await server.count(index)).toBe(300);
    await proxy.stop();
  });

  test('TLS: the authority, the name and the certificate of the client are checked, plain text is told apart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-elastic-'));
    const made = await makeCertificates(folder);
    const [ca, cert, key] = await Promise.all(
      [made.ca, made.serverCertificate, made.serverKey].map((file) => readFile(file)),
    );
    const proxy = await Proxy.start(where.elasticsearch.url, { ca: ca!, cert: cert!, key: key!, requestCert: true });
    const attempt = async (tls: Record<string, Json> | null, url = proxy.url): Promise<string> =>
      (await dispositions(['{}'], { endpoints: [url], ...(tls === null ? {} : { tls }) })).join();
    const client = { cert: made.clientCertificate, key: made.clientKey };
    expect(await attempt({ ca: made.ca, ...client })).toBe('');
    expect(await attempt({ insecure_skip_verify: true, ...client })).toBe('');
    const { fingerprint256: fingerprint } = new X509Certificate(cert!);
    expect(await attempt({ fingerprint, ...client })).toBe('');
    expect(await attempt(null)).toMatch(/^batch: block: .*: TLS: .*unknown authority; see `tls.ca`$/);
    const misnamed = { ca: made.ca, ...client, server_name: 'es.example' };
    expect(await attempt(misnamed)).toMatch(/^batch: block: .*: TLS: .*another name; see `tls.server_name`$/);
    // A server may just close, in TLS 1.3, and say nothing.
    expect(await attempt({ ca: made.ca })).toMatch(/^batch: (?:block: .*TLS: the server refuses us|retry: )/);
    const plain = where.elasticsearch.url.replace('http:', 'https:');
    expect(await attempt({ ca: made.ca }, plain)).toMatch(/^batch: block: .*does not speak TLS; use `http:`$/);
    await proxy.stop();
    await rm(folder, { recursive: true });
  });

  test('updates merge into the document of the key, make it, and delete it', async () => {
    const harness = await started({ mode: 'update' });
    harness.append(0, [
      { key: 'a', value: '{"n":1,"x":"kept"}' },
      { key: 'a', value: '{"n":2}' },
      { key: 'b', value: '{"n":3}' },
      { key: 'b', value: null },
      { key: 'c', value: null },
    ]);
    expect(await harness.write()).toEqual({ failures: [] });
    expect(await server.documents(index)).toEqual({ a: { n: 2, x: 'kept' } });
    const strict = await started({ mode: 'update', update: { upsert: false } });
    strict.append(0, [{ key: 'none', value: '{}' }]);
    expect(await strict.write()).toMatchObject({ failures: [{ index: 0, disposition: 'reject' }] });
  });

  test('routing decides on the shard', async () => {
    await server.ask('PUT', `/${index}`, {
      settings: { number_of_shards: 4 },
      mappings: { _routing: { required: true }, properties: { tenant: { type: 'keyword' } } },
    });
    const harness = await started({ routing: 'value.tenant' });
    harness.append(0, ['{"tenant":"one"}', '{"tenant":2}', '{}']);
    expect(await harness.write()).toMatchObject({ failures: [{ index: 2, disposition: 'reject' }] });
    await server.ask('POST', `/${index}/_refresh`);
    const found = (await server.ask('POST', `/${index}/_search?routing=one`, {})) as {
      hits: { hits: { _routing: string }[] };
    };
    expect(found.hits.hits.map(({ _routing: routing }) => routing)).toContain('one');
  });

  test('what must be an alias is not made an index', async () => {
    const harness = await started({ require_alias: true });
    harness.append(0, ['{}']);
    expect(await harness.write()).toMatchObject({
      failures: [
        {
          disposition: 'block',
          error: { message: expect.stringContaining('make it an alias, or leave out `require_alias`') as string },
        },
      ],
    });
  });

  test('with `refresh` a search finds it at once', async () => {
    for (const refresh of ['now', 'wait']) {
      const own = uniqueName('docs');
      const harness = await started({ refresh, index: own });
      harness.append(0, ['{}']);
      expect(await harness.write()).toEqual({ failures: [] });
      expect(await server.ask('GET', `/${own}/_count`)).toMatchObject({ count: 1 });
    }
  });

  describe('bootstrap', () => {
    let folder: string;
    const file = async (name: string, content: object | string): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    };

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sluice-bootstrap-'));
    });

    afterEach(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    test('templates and pipelines are there before the first document, and what is there stays', async () => {
      const mappings = { properties: { n: { type: 'keyword' } } };
      const bootstrap = {
        component_templates: { [`${index}-base`]: await file('base.json', { template: { mappings } }) },
        index_templates: {
          [index]: await file('index.json', {
            index_patterns: [`${index}*`],
            data_stream: {},
            priority: 500,
            composed_of: [`${index}-base`],
          }),
        },
        ingest_pipelines: { [index]: await file('pipe.json', { processors: [{ set: { field: 'seen', value: 1 } }] }) },
      };
      const options = { bootstrap, data_stream: true, pipeline: index };
      const harness = await started(options);
      harness.append(0, ['{"n":1}']);
      expect(await harness.write()).toEqual({ failures: [] });
      const found = Object.values(await server.documents(index)) as { n: number; seen: number }[];
      expect(found).toMatchObject([{ n: 1, seen: 1 }]);
      const described = JSON.stringify(await server.ask('GET', `/${index}/_mapping`));
      expect(described).toContain('"n":{"type":"keyword"}');

      await file('pipe.json', { processors: [{ set: { field: 'seen', value: 2 } }] });
      const seen = async (replace: boolean): Promise<unknown> => {
        const other = await started({ ...options, bootstrap: { ...bootstrap, replace } });
        other.append(0, ['{}', '{}']);
        await other.write();
        return server.ask('GET', `/_ingest/pipeline/${index}`);
      };
      expect(JSON.stringify(await seen(false))).toContain('"value":1');
      expect(JSON.stringify(await seen(true))).toContain('"value":2');
    });

    test('what the cluster refuses blocks the sink, and says which file to mend', async () => {
      const bootstrap = { ingest_pipelines: { [index]: await file('pipe.json', { processors: [{ nonsense: {} }] }) } };
      const harness = await started({ bootstrap });
      harness.append(0, ['{}']);
      const result = await harness.write();
      expect(result).toMatchObject({ batch: { disposition: 'block', error: { code: 'SINK_BLOCKED' } } });
      expect(JSON.stringify((result as { batch: { error: Error } }).batch.error.message)).toContain(
        `making the ingest pipeline \\"${index}\\": HTTP 400`,
      );
    });

    test('a policy that this server cannot have blocks the sink, and no record becomes a dead letter', async () => {
      const harness = await started({ bootstrap: { lifecycle_policies: { [index]: await file('policy.json', {}) } } });
      harness.append(0, ['{}']);
      expect(await harness.write()).toMatchObject({
        batch: {
          disposition: 'block',
          error: {
            message: expect.stringMatching(/no handler found.*this cluster knows none; leave it out$/) as string,
          },
        },
      });
    });

    test('a file that is no JSON object stops the start', async () => {
      const path = await file('pipe.json', '[1]');
      await expect(started({ bootstrap: { ingest_pipelines: { x: path } } })).rejects.toThrow(
        `reading ${JSON.stringify(path)} for \`bootstrap\`: it is no JSON object`,
      );
    });
  });
});
