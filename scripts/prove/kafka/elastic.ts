/** A hit: the id, and the parts of the document that were asked for. */
export interface Hit {
  readonly id: string;
  readonly source: Readonly<Record<string, unknown>>;
}

const PAGE = 10_000;

/** What a proof asks Elasticsearch, by plain requests: the judge shares nothing with the sink. */
export class Elastic {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Mapped by hand, so that a million documents are not spent on guessing. */
  async createIndex(index: string, properties: object): Promise<void> {
    await this.request('PUT', `/${index}`, {
      settings: { number_of_shards: 1, number_of_replicas: 0, refresh_interval: '10s' },
      mappings: { dynamic: false, properties },
    });
  }

  async count(index: string): Promise<number> {
    await this.request('POST', `/${index}/_refresh`);
    const { count } = (await this.request('GET', `/${index}/_count`)) as { count: number };
    return count;
  }

  /** Of a field, exact up to 2^53. */
  async sumOf(index: string, field: string): Promise<number> {
    const asked = { size: 0, aggs: { sum: { sum: { field } } } };
    const { aggregations } = (await this.request('POST', `/${index}/_search`, asked)) as {
      aggregations: { sum: { value: number } };
    };
    return aggregations.sum.value;
  }

  /** All documents, in any order. */
  async *documents(index: string, fields: readonly string[]): AsyncGenerator<Hit> {
    await this.request('POST', `/${index}/_refresh`);
    let page = (await this.request('POST', `/${index}/_search?scroll=2m`, {
      size: PAGE,
      sort: ['_doc'],
      _source: fields,
    })) as Page;
    while (page.hits.hits.length > 0) {
      for (const { _id, _source } of page.hits.hits) yield { id: _id, source: _source };
      page = (await this.request('POST', '/_search/scroll', { scroll: '2m', scroll_id: page._scroll_id })) as Page;
    }
    await this.request('DELETE', '/_search/scroll', { scroll_id: page._scroll_id });
  }

  async request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status} ${text.slice(0, 300)}`);
    return text === '' ? null : JSON.parse(text);
  }
}

interface Page {
  readonly _scroll_id: string;
  readonly hits: { readonly hits: readonly { readonly _id: string; readonly _source: Record<string, unknown> }[] };
}
