import type { Servers } from '../../kafka/servers.ts';
import { until } from '../../kafka/waiting.ts';
import { Solr } from '../solr.ts';
import type { Target } from '../target.ts';

const WHOLE_WITHIN_MS = 120_000;
const NODES = ['node-1', 'node-2'] as const;

/** A collection of 2 shards × 2 replicas in a cloud of the row's own. Its nodes are killed and started again, one when the other is well. */
export async function solrCollection(collection: string, servers: Servers, options = ''): Promise<Target> {
  const server = await servers.own('solr-cloud', collection, { 'sluice.zkClientTimeout': 4000 });
  const urls = server.where.urls.split(',');
  const solr = new Solr(urls, collection);
  await solr.create({ shards: 2, replicas: 2 });
  const whole = (): Promise<void> =>
    until('all replicas are active', () => solr.isWhole().catch(() => false), { deadlineMs: WHOLE_WITHIN_MS });
  return {
    sink: `  - solr:
      endpoints: [${urls.map((url) => `'${url}'`).join(', ')}]
      collection: ${collection}
      fields: { n: n_l, check: check_l, at: at_dt, user: user_s }
${options}    batch: { max_records: 5000 }
`,
    // While a node is away the shards that it leads cannot be asked.
    count: () => solr.count().catch(() => 0),
    sum: () => solr.sumOf('check_l'),
    hasIds: true,
    hits: () => solr.documents({ n: 'n_l', check: 'check_l' }),
    async problems() {
      const shards = Object.entries(await solr.perReplica());
      return shards
        .filter(([, counts]) => counts.length !== 2 || counts[0] !== counts[1] || counts[0] === 0)
        .map(([shard, counts]) => `the replicas of ${shard} have ${counts.join(' and ')} documents`);
    },
    async restart() {
      for (const node of NODES) {
        await server.kill(node);
        await server.startAgain(node);
        await whole();
      }
    },
    end: () => server.down(),
  };
}
