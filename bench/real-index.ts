import { randomBytes } from 'node:crypto';

interface Stats {
  readonly _all?: {
    readonly primaries?: { readonly indexing?: { readonly index_total?: number; readonly index_failed?: number } };
  };
}

/** An index of a real server for one run, with one shard and without replicas. */
export class RealIndex {
  readonly url: string;
  readonly name: string;

  private constructor(url: string, name: string) {
    this.url = url;
    this.name = name;
  }

  static async create(url: string): Promise<RealIndex> {
    const index = new RealIndex(url, `bench-${randomBytes(4).toString('hex')}`);
    const settings = { number_of_shards: 1, number_of_replicas: 0 };
    await index.#ask('PUT', '', { settings });
    return index;
  }

  /** Documents that were indexed, visible to a search or not yet. */
  async written(): Promise<number> {
    const { _all: all } = (await this.#ask('GET', '/_stats/indexing')) as Stats;
    const { index_total: total = 0, index_failed: failed = 0 } = all?.primaries?.indexing ?? {};
    if (failed > 0) throw new Error(`${failed} documents were refused`);
    return total;
  }

  async remove(): Promise<void> {
    await this.#ask('DELETE', '');
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.url}/${this.name}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${this.url}/${this.name}${path}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as unknown;
  }
}
