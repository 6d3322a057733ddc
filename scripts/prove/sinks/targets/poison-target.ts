import { Elastic } from '../../kafka/elastic.ts';
import type { Servers } from '../../kafka/servers.ts';
import { Solr } from '../solr.ts';

/** A server with an index for each run, which refuses a member that its schema does not have. */
export interface PoisonTarget {
  /** The member. */
  readonly poison: string;
  make(name: string): Promise<void>;
  sink(name: string): string;
  count(name: string): Promise<number>;
  drop(name: string): Promise<void>;
  end(): Promise<void>;
}

export async function poisonedElasticsearch(part: string, servers: Servers): Promise<PoisonTarget> {
  const server = await servers.own('elasticsearch', part);
  const { url } = server.where;
  const elastic = new Elastic(url);
  return {
    poison: '"check":"none"',
    make: (name) => elastic.createIndex(name, { n: { type: 'integer' }, check: { type: 'long' } }),
    sink: (name) => `  - elasticsearch: { endpoints: ['${url}'], index: ${name} }\n`,
    count: (name) => elastic.count(name),
    async drop(name) {
      await elastic.request('DELETE', `/${name}`);
    },
    end: () => server.down(),
  };
}

/** A core whose update chain `tolerant` takes the rest of a request. */
export async function poisonedSolr(part: string, servers: Servers): Promise<PoisonTarget> {
  const server = await servers.own('solr', part);
  const { url } = server.where;
  return {
    poison: '"nosuch":1',
    make: (name) => new Solr([url], name).createCore(),
    sink: (name) => `  - solr:
      endpoints: ['${url}']
      core: ${name}
      fields: { n: n_l, check: check_l, at: at_dt, user: user_s }
`,
    count: (name) => new Solr([url], name).count(),
    drop: (name) => new Solr([url], name).dropCore(),
    end: () => server.down(),
  };
}
