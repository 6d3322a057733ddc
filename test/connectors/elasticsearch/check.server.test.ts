import type { Json } from '../../../src/api/index.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { Elasticsearch } from './support/elasticsearch.ts';
import { checked } from './support/check.ts';

serverSuite('checking the connection to Elasticsearch', ['elasticsearch'], (where) => {
  let server: Elasticsearch;
  let index: string;

  beforeEach(() => {
    server = new Elasticsearch(where.elasticsearch.url);
    index = uniqueName('check');
  });

  const check = (options: Record<string, Json> = {}): Promise<string> =>
    checked({ endpoints: [where.elasticsearch.url], index, ...options });

  test('what would work is fine, and nothing is made by asking', async () => {
    expect(await check()).toBe('fine');
    expect(await check({ index: `${index}-{{ key }}` })).toBe('fine');
    await expect(server.ask('GET', `/${index}`)).rejects.toThrow('HTTP 404');
  });

  test('each endpoint has to answer', async () => {
    const endpoints = [where.elasticsearch.url, 'http://127.0.0.1:9'];
    expect(await check({ endpoints })).toMatch(/^SINK_UNAVAILABLE GET http:\/\/127\.0\.0\.1:9\/: .*ECONNREFUSED/);
  });

  test('an index that is closed, read-only, or not to be made', async () => {
    await server.ask('PUT', `/${index}`);
    expect(await check()).toBe('fine');
    await server.ask('PUT', `/${index}/_block/write`);
    expect(await check()).toMatch(/^SINK_BLOCKED .* has the block `index\.blocks\.write`$/);
    await server.ask('PUT', `/${index}/_settings`, { 'index.blocks.write': null });
    await server.ask('POST', `/${index}/_close`);
    expect(await check()).toMatch(/^SINK_BLOCKED .* is closed$/);
  });

  test('of an alias only one index is written: others may be closed or read-only', async () => {
    const aliases = { [`${index}-all`]: {} };
    await server.ask('PUT', `/${index}-1`, { aliases });
    await server.ask('PUT', `/${index}-1/_block/write`);
    await server.ask('PUT', `/${index}-2`, { aliases: { [`${index}-all`]: { is_write_index: true } } });
    expect(await check({ index: `${index}-all` })).toBe('fine');
  });

  test('a data stream needs a template, and a template may make one where an index was meant', async () => {
    expect(await check({ data_stream: true })).toMatch(/no index template with `data_stream` makes it$/);
    await server.ask('PUT', `/_index_template/${index}`, {
      index_patterns: [`${index}*`],
      data_stream: {},
      priority: 10,
    });
    expect(await check({ data_stream: true })).toBe('fine');
    expect(await check()).toMatch(/its index template makes a data stream; say `data_stream: true`$/);
    await server.ask('PUT', `/_index_template/${index}-plain`, { index_patterns: ['check-*'], priority: 20 });
    expect(await check()).toBe('fine');
    await server.ask('DELETE', `/_index_template/${index}-plain`);
  });

  test('the ingest pipeline has to be there', async () => {
    expect(await check({ pipeline: index })).toBe(
      `SINK_BLOCKED looking for the ingest pipeline "${index}": there is none`,
    );
    await server.ask('PUT', `/_ingest/pipeline/${index}`, { processors: [] });
    expect(await check({ pipeline: index })).toBe('fine');
  });
});
