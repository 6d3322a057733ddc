/** A real Solr, asked for what it holds. */
export class RealSolr {
  readonly url: string;
  readonly #authorization: string | undefined;

  constructor(url: string, authorization?: string) {
    this.url = url;
    this.#authorization = authorization;
  }

  async createCore(name: string, configSet: 'sluice' | 'strict' = 'sluice'): Promise<void> {
    await this.ask(`/admin/cores?action=CREATE&name=${name}&configSet=${configSet}`);
  }

  async createCollection(name: string, { shards = 2, replicas = 2 } = {}): Promise<void> {
    const query = `action=CREATE&name=${name}&numShards=${shards}&replicationFactor=${replicas}&collection.configName=sluice&waitForFinalState=true`;
    await this.ask(`/admin/collections?${query}`);
  }

  async count(name: string, query = '*:*'): Promise<number> {
    await this.ask(`/${name}/update?commit=true`, '[]');
    const answer = await this.ask(`/${name}/select?q=${encodeURIComponent(query)}&rows=0`);
    return (answer as { response: { numFound: number } }).response.numFound;
  }

  /** By id, with what was not committed yet. */
  async documents(name: string, ids: readonly string[]): Promise<Record<string, Record<string, unknown>>> {
    const answer = await this.ask(`/${name}/get?ids=${ids.map(encodeURIComponent).join(',')}`);
    const { docs } = (answer as { response: { docs: Record<string, unknown>[] } }).response;
    return Object.fromEntries(docs.map((document) => [document.id as string, document]));
  }

  /** Ids of documents that one core has. */
  async idsOfCore(url: string): Promise<string[]> {
    await this.ask(`${url}/update?commit=true&distrib=false`, '[]');
    const answer = await this.ask(`${url}/select?q=*:*&rows=100000&fl=id&distrib=false`);
    return (answer as { response: { docs: { id: string }[] } }).response.docs.map(({ id }) => id);
  }

  /** Throws with what it says when it is not 200. */
  async ask(path: string, body?: string): Promise<unknown> {
    const response = await fetch(path.startsWith('http') ? path : `${this.url}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body }),
      headers: {
        'content-type': 'application/json',
        ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${text}`);
    return JSON.parse(text);
  }
}
