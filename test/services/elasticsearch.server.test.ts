import { Client } from '@elastic/elasticsearch';
import { ownServer, serverSuite, uniqueName, type OwnServer } from '../support/servers.ts';

serverSuite('the shared node', ['elasticsearch'], (where) => {
  test('is taken for the product by the official client', async () => {
    const client = new Client({ node: where.elasticsearch.url });
    const { version } = await client.info();
    await client.close();
    expect(version.number).toBe('8.19.21');
  });

  test('has the processors set and fail for pipelines', async () => {
    const index = uniqueName('orders');
    const processors = [{ set: { field: 'seen', value: true } }, { fail: { message: 'not this one' } }];
    for (const processor of processors) {
      await request(where.elasticsearch.url, 'PUT', `/_ingest/pipeline/${index}-${Object.keys(processor)[0]!}`, {
        processors: [processor],
      });
    }
    const set = await request(
      where.elasticsearch.url,
      'POST',
      `/${index}/_doc/1?refresh=true&pipeline=${index}-set`,
      {},
    );
    const fail = await request(where.elasticsearch.url, 'POST', `/${index}/_doc/2?pipeline=${index}-fail`, {});
    const stored = await request(where.elasticsearch.url, 'GET', `/${index}/_source/1`);
    expect([set.status, fail.status, stored.body]).toEqual([201, 400, { seen: true }]);
    expect(JSON.stringify(fail.body)).toContain('not this one');
  });
});

serverSuite('a node of one’s own', [], () => {
  const authorization = 'Basic ZWxhc3RpYzpzZWNyZXQ=';
  let server: OwnServer<'elasticsearch'>;

  beforeAll(async () => {
    server = await ownServer('elasticsearch', {
      'testes.authorization': authorization,
      'thread_pool.write.size': 1,
      'thread_pool.write.queue_size': 1,
    });
  }, 150_000);

  afterAll(() => server.down());

  test('refuses whoever brings other credentials', async () => {
    const answers = await Promise.all([
      request(server.where.url, 'GET', '/'),
      request(server.where.url, 'GET', '/', undefined, 'Basic d3Jvbmc='),
      request(server.where.url, 'GET', '/', undefined, authorization),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 200]);
  });

  test('holds writes until they are released, and refuses what its queue cannot hold', async () => {
    const { url } = server.where;
    const index = uniqueName('orders');
    await request(url, 'PUT', `/${index}`, {}, authorization);
    await request(url, 'POST', '/_testes/hold/write', undefined, authorization);
    const writes = ['1', '2'].map((id) => request(url, 'PUT', `/${index}/_doc/${id}`, {}, authorization));
    // One waits in the queue, the other is refused while the pool is held.
    const first = await Promise.race(writes);
    await request(url, 'DELETE', '/_testes/hold', undefined, authorization);
    expect(first.status).toBe(429);
    expect((await Promise.all(writes)).map(({ status }) => status).sort()).toEqual([201, 429]);
  });

  test('keeps what it acknowledged over SIGKILL, at the same address', async () => {
    const { url } = server.where;
    const index = uniqueName('orders');
    await request(url, 'PUT', `/${index}/_doc/1`, { kept: true }, authorization);
    await server.kill();
    await server.startAgain();
    expect(await request(url, 'GET', `/${index}/_source/1`, undefined, authorization)).toEqual({
      status: 200,
      body: { kept: true },
    });
  });
});

async function request(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  authorization = '',
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(authorization === '' ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}
