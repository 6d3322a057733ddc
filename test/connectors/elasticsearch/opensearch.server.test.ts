import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../../src/api/index.ts';
import type { SinkHarness } from '../../../src/testing/index.ts';
import { cleanUp, HubFolder } from '../../cli/support/hub-folder.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { checked } from './support/check.ts';
import { Elasticsearch } from './support/elasticsearch.ts';
import { describeFaults } from './support/faults.ts';
import { Proxy } from '../support/proxy.ts';
import { sinkHarness } from './support/sink.ts';

serverSuite('the OpenSearch sink', ['opensearch'], (where) => {
  let server: Elasticsearch;
  let index: string;
  const harnesses: SinkHarness[] = [];

  beforeEach(() => {
    server = new Elasticsearch(where.opensearch.url);
    index = uniqueName('docs');
  });

  afterEach(async () => {
    for (const harness of harnesses.splice(0)) await harness.stop();
  });

  async function started(options: Record<string, Json> = {}): Promise<SinkHarness> {
    const harness = sinkHarness({ endpoints: [where.opensearch.url], index, ...options }, { system: 'opensearch' });
    await harness.start();
    harnesses.push(harness);
    return harness;
  }

  test('a batch is there once however often it is sent, compressed too', async () => {
    const harness = await started({ gzip: true });
    harness.append(0, ['{"n":1}', '{"n":2}']);
    expect(await harness.write()).toEqual({ failures: [] });
    await harness.start();
    expect(await harness.write()).toEqual({ failures: [] });
    expect(harness.status).toBe('0 written, 2 were there already');
    expect(await server.documents(index)).toEqual({ 'lines+AAAAAAAA+0+0': { n: 1 }, 'lines+AAAAAAAA+0+1': { n: 2 } });
  });

  test('the newest record of each key stays, and a record without a value deletes', async () => {
    const harness = await started({ mode: 'keyed' });
    harness.append(0, [
      { key: 'a', value: '{"n":1}' },
      { key: 'b', value: '{"n":2}' },
      { key: 'a', value: '{"n":3}' },
      { key: 'b', value: null },
    ]);
    expect(await harness.write()).toEqual({ failures: [] });
    expect(await server.documents(index)).toEqual({ a: { n: 3 } });
  });

  test('updates merge, or run a script', async () => {
    const merging = await started({ mode: 'update' });
    merging.append(0, [
      { key: 'a', value: '{"n":1,"x":"kept"}' },
      { key: 'a', value: '{"n":2}' },
    ]);
    expect(await merging.write()).toEqual({ failures: [] });
    const script = 'ctx._source.sum = (ctx._source.sum == null ? 0 : ctx._source.sum) + params.record.n';
    const counting = await started({ mode: 'update', update: { script } });
    counting.append(0, [
      { key: 'c', value: '{"n":2}' },
      { key: 'c', value: '{"n":5}' },
    ]);
    expect(await counting.write()).toEqual({ failures: [] });
    expect(await server.documents(index)).toEqual({ a: { n: 2, x: 'kept' }, c: { sum: 7 } });
  });

  test('without `upsert` a document has to be there', async () => {
    const strict = await started({ mode: 'update', update: { upsert: false } });
    await server.ask('PUT', `/${index}`, {});
    strict.append(0, [{ key: 'none', value: '{"n":1}' }]);
    expect(await strict.write()).toMatchObject({ failures: [{ index: 0, disposition: 'reject' }] });
  });

  test('a record that does not fit the mapping is refused alone', async () => {
    await server.ask('PUT', `/${index}`, { mappings: { properties: { n: { type: 'integer' } } } });
    const harness = await started();
    harness.append(0, ['{"n":1}', '{"n":"many"}', '{"n":3}']);
    const result = await harness.write();
    expect(result).toMatchObject({ failures: [{ index: 1, disposition: 'reject' }] });
    expect(Object.keys(await server.documents(index))).toHaveLength(2);
  });

  test('a script that fails refuses its record, and the others are counted', async () => {
    const script = 'ctx._source.n = Integer.parseInt(params.record.n)';
    const harness = await started({ mode: 'update', update: { script } });
    harness.append(0, [
      { key: 'a', value: '{"n":"many"}' },
      { key: 'b', value: '{"n":"7"}' },
    ]);
    expect(await harness.write()).toMatchObject({ failures: [{ index: 0, disposition: 'reject' }] });
    expect(await server.documents(index)).toEqual({ b: { n: 7 } });
  });

  test('an answer that is lost after the server applied it, and a server that is away, are retried', async () => {
    const proxy = await Proxy.start(where.opensearch.url);
    const harness = await started({ endpoints: [proxy.url] });
    const retried = { batch: { disposition: 'retry', error: { code: 'SINK_UNAVAILABLE' } } };
    harness.append(0, ['{"n":1}']);
    proxy.swallows = 1;
    expect(await harness.write()).toMatchObject(retried);
    proxy.isOpen = false;
    expect(await harness.write()).toMatchObject(retried);
    proxy.isOpen = true;
    expect(await harness.write()).toEqual({ failures: [] });
    expect(harness.status).toBe('0 written, 1 were there already');
  });

  describe('lives through', () => {
    describeFaults('opensearch', () => where.opensearch.url);
  });

  test('validate --connect takes it, and Elasticsearch’s sink says what it is', async () => {
    const endpoints = [where.opensearch.url];
    expect(await checked({ endpoints, index }, 'opensearch')).toBe('fine');
    expect(await checked({ endpoints, index })).toContain('something answers that is not Elasticsearch 7.14 or newer');
  });

  test('the example counts the levels, and changes nothing when it runs once more', async () => {
    const folder = await HubFolder.create({});
    await mkdir(join(folder.path, 'pipelines'), { recursive: true });
    const example = await readFile(join(import.meta.dirname, '../../../pipelines/opensearch.yaml'), 'utf8');
    const here = example.replaceAll('http://127.0.0.1:9200', where.opensearch.url).replace('example-levels', index);
    await folder.write('pipelines/opensearch.yaml', here);
    for (const round of [0, 1]) {
      const hub = folder.run('--once', 'pipelines/opensearch.yaml');
      expect({ round, code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
      const levels = await server.documents(index);
      expect(Object.keys(levels).sort()).toEqual(['DEBUG', 'ERROR', 'INFO', 'WARN']);
      expect(Math.max(...Object.values(levels).map((level) => (level as { n: number }).n))).toBe(9999);
    }
    await cleanUp();
  });
});
