import { ownServer, serverSuite, type OwnServer } from '../support/servers.ts';

const ask = async (url: string, body?: unknown, authorization = ''): Promise<{ status: number; text: string }> => {
  const response = await fetch(url, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
  });
  return { status: response.status, text: await response.text() };
};
const documents = Array.from({ length: 100 }, (_each, n) => ({ id: `doc-${n}` }));
const found = (text: string): number => (JSON.parse(text) as { response: { numFound: number } }).response.numFound;

serverSuite('SolrCloud', [], () => {
  let server: OwnServer<'solr-cloud'>;
  beforeAll(async () => {
    server = await ownServer('solr-cloud');
  }, 600_000);
  afterAll(() => server.down());

  test('spreads documents of a collection over shards, and has its replicas on both nodes', async () => {
    const { url } = server.where;
    const made = await ask(
      `${url}/admin/collections?action=CREATE&name=orders&numShards=2&replicationFactor=2&collection.configName=sluice`,
    );
    expect(made).toMatchObject({ status: 200 });
    expect(await ask(`${url}/orders/update?commit=true`, documents)).toMatchObject({ status: 200 });
    expect(found((await ask(`${url}/orders/select?q=*:*&rows=0`)).text)).toBe(100);
    const status = JSON.parse((await ask(`${url}/admin/collections?action=CLUSTERSTATUS&collection=orders`)).text) as {
      cluster: {
        collections: { orders: { shards: Record<string, { replicas: Record<string, { node_name: string }> }> } };
      };
    };
    for (const { replicas } of Object.values(status.cluster.collections.orders.shards))
      expect(new Set(Object.values(replicas).map((replica) => replica.node_name)).size).toBe(2);
  });
});

serverSuite('Solr with users', [], () => {
  let server: OwnServer<'solr'>;
  beforeAll(async () => {
    server = await ownServer('solr', { users: 'root:secret:admin,guest:guest:reader' });
  }, 600_000);
  afterAll(() => server.down());

  test('lets the administrator write, the reader read, and nobody else in', async () => {
    const { url } = server.where;
    const basic = (user: string): string => `Basic ${Buffer.from(user).toString('base64')}`;
    const create = `${url}/admin/cores?action=CREATE&name=orders&configSet=sluice`;
    expect(await ask(create, undefined, basic('root:secret'))).toMatchObject({ status: 200 });
    const update = `${url}/orders/update?commit=true`;
    expect(await ask(update, documents, basic('root:secret'))).toMatchObject({ status: 200 });
    const select = `${url}/orders/select?q=*:*&rows=0`;
    expect(found((await ask(select, undefined, basic('guest:guest'))).text)).toBe(100);
    expect(await ask(update, documents, basic('guest:guest'))).toMatchObject({ status: 403 });
    expect(await ask(select)).toMatchObject({ status: 401 });
  });
});
