/** What a test asks of the server itself, without the sink's own code. */
export class Elasticsearch {
  readonly url: string;

  readonly #headers: Record<string, string>;

  constructor(url: string, authorization?: string) {
    this.url = url;
    const authorized = authorization === undefined ? {} : { Authorization: authorization };
    this.#headers = { 'Content-Type': 'application/json', ...authorized };
  }

  /** Rejects for what is not 2xx. */
  async ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: this.#headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status} ${text}`);
    return text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
  }

  async count(index: string): Promise<number> {
    await this.ask('POST', `/${index}/_refresh`);
    return ((await this.ask('GET', `/${index}/_count`)) as { count: number }).count;
  }

  /** Up to a thousand documents, by id. */
  async documents(index: string): Promise<Record<string, unknown>> {
    await this.ask('POST', `/${index}/_refresh`);
    const found = (await this.ask('POST', `/${index}/_search`, { size: 1000 })) as {
      hits: { hits: { _id: string; _source: unknown }[] };
    };
    return Object.fromEntries(found.hits.hits.map(({ _id: id, _source: source }) => [id, source]));
  }
}
