import type { Hit } from '../kafka/elastic.ts';

const PAGE = 10_000;

interface Replica {
  readonly state: string;
  readonly node_name: string;
}

interface ClusterStatus {
  readonly cluster: {
    readonly live_nodes: readonly string[];
    readonly collections: Readonly<
      Record<
        string,
        { readonly shards: Readonly<Record<string, { readonly replicas: Readonly<Record<string, Replica>> }>> }
      >
    >;
  };
}

/** What a proof asks of a collection, by plain requests to one of the nodes. */
export class Solr {
  readonly #urls: readonly string[];
  readonly #collection: string;

  constructor(urls: readonly string[], collection: string) {
    this.#urls = urls;
    this.#collection = collection;
  }

  async create({ shards, replicas }: { readonly shards: number; readonly replicas: number }): Promise<void> {
    const wanted = `numShards=${shards}&replicationFactor=${replicas}&collection.configName=sluice&waitForFinalState=true`;
    await this.#ask(`/admin/collections?action=CREATE&name=${this.#collection}&${wanted}`);
  }

  async createCore(): Promise<void> {
    await this.#ask(`/admin/cores?action=CREATE&name=${this.#collection}&configSet=sluice`);
  }

  async dropCore(): Promise<void> {
    await this.#ask(`/admin/cores?action=UNLOAD&core=${this.#collection}&deleteInstanceDir=true`);
  }

  async count(): Promise<number> {
    await this.#commit();
    const { response } = (await this.#select('rows=0')) as { response: { numFound: number } };
    return response.numFound;
  }

  async sumOf(field: string): Promise<number> {
    const facet = encodeURIComponent(JSON.stringify({ sum: `sum(${field})` }));
    const { facets } = (await this.#select(`rows=0&json.facet=${facet}`)) as { facets: { sum: number } };
    return facets.sum;
  }

  /** All documents of all shards, by their ids, with these fields under the names that they have in the records. */
  async *documents(fields: Readonly<Record<string, string>>): AsyncGenerator<Hit> {
    await this.#commit();
    const list = ['id', ...Object.values(fields)].join(',');
    for (let [mark, last] = ['*', '']; mark !== last;) {
      const page = (await this.#select(
        `rows=${PAGE}&fl=${list}&sort=${encodeURIComponent('id asc')}&cursorMark=${encodeURIComponent(mark)}`,
      )) as { nextCursorMark: string; response: { docs: readonly Record<string, unknown>[] } };
      for (const document of page.response.docs) {
        const source = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, document[field]]));
        yield { id: document.id as string, source };
      }
      [last, mark] = [mark, page.nextCursorMark];
    }
  }

  /** How many documents each replica has, by its shard: those of a shard are to be equal. */
  async perReplica(): Promise<Readonly<Record<string, readonly number[]>>> {
    await this.#commit();
    const counts: Record<string, number[]> = {};
    for (const [shard, { replicas }] of Object.entries((await this.#status()).shards)) {
      for (const replica of Object.values(replicas) as (Replica & {
        readonly base_url: string;
        readonly core: string;
      })[]) {
        const { response } = (await this.#ask(
          `${replica.base_url}/${replica.core}/select?q=*:*&rows=0&distrib=false`,
        )) as { response: { numFound: number } };
        (counts[shard] ??= []).push(response.numFound);
      }
    }
    return counts;
  }

  /** Whether all replicas take part. */
  async isWhole(): Promise<boolean> {
    const { live, shards } = await this.#status();
    const replicas = Object.values(shards).flatMap((shard) => Object.values(shard.replicas));
    return replicas.every(({ state, node_name }) => state === 'active' && live.includes(node_name));
  }

  async #status(): Promise<{
    live: readonly string[];
    shards: Readonly<Record<string, { readonly replicas: Readonly<Record<string, Replica>> }>>;
  }> {
    const { cluster } = (await this.#ask(
      `/admin/collections?action=CLUSTERSTATUS&collection=${this.#collection}`,
    )) as ClusterStatus;
    return { live: cluster.live_nodes, shards: cluster.collections[this.#collection]!.shards };
  }

  async #commit(): Promise<void> {
    await this.#ask(`/${this.#collection}/update?commit=true`, '[]');
  }

  #select(query: string): Promise<unknown> {
    return this.#ask(`/${this.#collection}/select?q=*:*&${query}`);
  }

  /** Of the first node that answers: one of them may be away. */
  async #ask(path: string, body?: string): Promise<unknown> {
    const urls = path.startsWith('http') ? [''] : this.#urls;
    let problem: unknown;
    for (const url of urls) {
      try {
        return await ask(url + path, body);
      } catch (error) {
        problem = error;
      }
    }
    throw problem;
  }
}

async function ask(url: string, body?: string): Promise<unknown> {
  const response = await fetch(url, {
    ...(body === undefined ? {} : { method: 'POST', body }),
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
