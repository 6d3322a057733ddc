import { readClusterState, shardOf } from '../../../connectors/solr/cluster-state.ts';

const replica = (node: string, more: object = {}): object => ({
  core: `orders_${node}`,
  node_name: `${node}:8983_solr`,
  type: 'NRT',
  state: 'active',
  base_url: `http://${node}:8983/solr`,
  ...more,
});

function answer(collections: object, more: object = {}): Buffer {
  const cluster = { live_nodes: ['a:8983_solr', 'b:8983_solr'], collections, ...more };
  return Buffer.from(JSON.stringify({ responseHeader: { status: 0 }, cluster }));
}

const twoShards = {
  router: { name: 'compositeId' },
  shards: {
    shard1: {
      range: '80000000-ffffffff',
      state: 'active',
      replicas: { n1: replica('a'), n2: replica('b', { leader: 'true' }) },
    },
    shard2: {
      range: '0-7fffffff',
      state: 'active',
      replicas: { n3: replica('a', { leader: 'true' }), n4: replica('b') },
    },
  },
};

test('who leads which hashes', () => {
  const { name, isAlias, shards } = readClusterState(answer({ orders: twoShards }), 'orders', 'asking');
  expect({ name, isAlias }).toEqual({ name: 'orders', isAlias: false });
  expect(shards).toEqual([
    { name: 'shard1', min: -2147483648, max: -1, leader: { nodeUrl: 'http://b:8983/solr', core: 'orders_b' } },
    { name: 'shard2', min: 0, max: 2147483647, leader: { nodeUrl: 'http://a:8983/solr', core: 'orders_a' } },
  ]);
  expect([-2147483648, -1, 0, 2147483647].map((hash) => shardOf(shards!, hash))).toEqual([0, 0, 1, 1]);
});

test('a range across zero is compared by sign', () => {
  const shards = Object.fromEntries(
    ['80000000-d554ffff', 'd5550000-2aa9ffff', '2aaa0000-7fffffff'].map((range, at) => [
      `shard${at}`,
      { range, state: 'active', replicas: {} },
    ]),
  );
  const state = readClusterState(answer({ orders: { router: { name: 'compositeId' }, shards } }), 'orders', 'asking');
  expect(
    [-2147483648, -715849728, 0, 715784191, 715784192, 2147483647].map((hash) => shardOf(state.shards!, hash)),
  ).toEqual([0, 1, 1, 1, 2, 2]);
  expect(shardOf([{ name: 's', min: 0, max: 1, leader: null }], 5)).toBe(-1);
});

test.each([
  ['whose node does not live', { live_nodes: ['a:8983_solr'] }, replica('b', { leader: 'true' })],
  ['that is down and still carries the word', {}, replica('b', { leader: 'true', state: 'down' })],
  ['that nobody is', {}, replica('b')],
])('a leader %s is none', (_what, more, only) => {
  const shards = { shard1: { range: '80000000-7fffffff', state: 'active', replicas: { n: only } } };
  const state = readClusterState(
    answer({ orders: { router: { name: 'compositeId' }, shards } }, more),
    'orders',
    'asking',
  );
  expect(state.shards![0]!.leader).toBeNull();
});

test('a shard that was split away counts no more', () => {
  const shards = { ...twoShards.shards, old: { range: '80000000-ffffffff', state: 'inactive', replicas: {} } };
  const state = readClusterState(answer({ orders: { ...twoShards, shards } }), 'orders', 'asking');
  expect(state.shards).toHaveLength(2);
});

test('an alias: the collection behind it, or none that could be told', () => {
  const aliases = { aliases: { current: 'orders' } };
  expect(readClusterState(answer({ orders: twoShards }, aliases), 'current', 'asking')).toMatchObject({
    name: 'orders',
    isAlias: true,
  });
  const both = answer({ orders: twoShards, others: twoShards }, { aliases: { current: 'orders,others' } });
  expect(readClusterState(both, 'current', 'asking').shards).toBeNull();
});

test.each([
  ['another router', { ...twoShards, router: { name: 'implicit' } }],
  ['a field that decides', { ...twoShards, router: { name: 'compositeId', field: 'tenant' } }],
])('%s: the id of a document does not tell where it belongs', (_what, collection) => {
  expect(readClusterState(answer({ orders: collection }), 'orders', 'asking').shards).toBeNull();
});

test.each([
  ['<html>', 'no JSON'],
  ['{}', 'does not speak of "orders"'],
  ['{"cluster":{"live_nodes":[],"collections":{"orders":{}}}}', 'does not speak of "orders"'],
])('an answer such as %s is asked for again', (text, says) => {
  let error: unknown;
  try {
    readClusterState(Buffer.from(text), 'orders', 'asking');
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'SINK_UNAVAILABLE', retryable: true });
  expect((error as Error).message).toContain(says);
});
