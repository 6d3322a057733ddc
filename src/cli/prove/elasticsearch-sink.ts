import { dirname } from 'node:path';
import type { Json } from '../../api/index.ts';
import { convertOptions } from '../../config/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { ElasticsearchDouble, FaultProxy } from '../../testing/index.ts';
import type { SinkTrial } from './sinks.ts';
import { Unprovable, type ProbeSink } from './trial.ts';

const PAGE = 5000;

interface Options {
  readonly endpoints: readonly string[];
  readonly auth?: {
    readonly basic?: { readonly username: string; readonly password: string };
    readonly api_key?: string;
  };
  readonly headers?: Readonly<Record<string, string>>;
}

/** Indices of its own, named by the suffix, so that templates by prefix hold for them too. */
export async function elasticsearchSink(
  { hub, plan, setting, onProxy }: SinkTrial,
  options: Readonly<Record<string, Json>>,
): Promise<ProbeSink> {
  const index = `${options.index as string}${setting.suffix}`;
  const unjudged = options.mode === 'keyed' ? '`mode: keyed` keeps the newest record of a key only' : null;
  if (options.data_stream === true) throw new Unprovable(`sink ${plan.name}: \`elasticsearch\` with \`data_stream\``);
  const redirected = { ...options, index };
  if (setting.doubles) {
    const double = await ElasticsearchDouble.start();
    const proxy = await FaultProxy.start(double.port);
    onProxy(proxy);
    return {
      plan: { ...plan, options: { ...redirected, endpoints: [`http://${proxy.address}`] } },
      unjudged,
      makes: [],
      read: (take) => {
        for (const name of double.indices) for (const text of double.documents(name)) take(Buffer.from(text));
        return Promise.resolve();
      },
      close: () => {
        proxy.close();
        return double.stop();
      },
    };
  }
  const definition = (await createRegistry().find('sink', plan.connector))!;
  const baseDir = dirname(hub.pipelines[0]!.file);
  const context = { references: hub.references, env: setting.env, baseDir };
  const target = new Target(convertOptions(definition, plan.options, context) as Options, plan.name);
  await target.check();
  const proxies = await Promise.all(
    target.endpoints.map(({ port, hostname }) => FaultProxy.start(Number(port || 80), hostname)),
  );
  proxies.forEach(onProxy);
  const endpoints = proxies.map(
    ({ address }, at) => `http://${address}${target.endpoints[at]!.pathname.replace(/\/$/, '')}`,
  );
  const indices = index.includes('{{') ? `*${setting.suffix}` : index;
  return {
    plan: { ...plan, options: { ...redirected, endpoints } },
    unjudged,
    makes: [`index ${indices}`],
    read: (take) => target.read(indices, take),
    close: async () => {
      for (const proxy of proxies) proxy.close();
      await target.remove(setting.suffix);
    },
  };
}

/** The user's cluster, by plain requests: the judge shares nothing with the sink. */
class Target {
  readonly endpoints: readonly URL[];
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ endpoints, auth, headers }: Options, name: string) {
    this.endpoints = endpoints.map((endpoint) => new URL(endpoint));
    if (this.endpoints.some(({ protocol }) => protocol !== 'http:'))
      throw new Unprovable(
        `sink ${name}: \`elasticsearch\` with an https endpoint; --doubles proves the rest of the pipeline`,
      );
    const { basic, api_key: key } = auth ?? {};
    const pair = basic === undefined ? null : Buffer.from(`${basic.username}:${basic.password}`).toString('base64');
    const authorization = pair !== null ? `Basic ${pair}` : key === undefined ? null : `ApiKey ${key}`;
    this.#headers = { ...headers, ...(authorization === null ? {} : { authorization }) };
  }

  async check(): Promise<void> {
    await this.#request('GET', '/');
  }

  async read(indices: string, take: (document: Uint8Array) => void): Promise<void> {
    await this.#request('POST', `/${indices}/_refresh?ignore_unavailable=true`);
    const first = `/${indices}/_search?scroll=2m&ignore_unavailable=true`;
    let page = (await this.#request('POST', first, { size: PAGE, sort: ['_doc'] })) as Page;
    while (page.hits.hits.length > 0) {
      for (const { _source } of page.hits.hits) take(Buffer.from(JSON.stringify(_source)));
      page = (await this.#request('POST', '/_search/scroll', { scroll: '2m', scroll_id: page._scroll_id })) as Page;
    }
    if (page._scroll_id !== undefined) await this.#request('DELETE', '/_search/scroll', { scroll_id: page._scroll_id });
  }

  /** By their names: clusters may forbid to delete by a pattern. */
  async remove(suffix: string): Promise<void> {
    const found = (await this.#request('GET', `/_cat/indices/*${suffix}?format=json&h=index`)) as { index: string }[];
    for (const { index } of found) if (index.endsWith(suffix)) await this.#request('DELETE', `/${index}`);
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    const base = this.endpoints[0]!.href.replace(/\/+$/, '');
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { ...this.#headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const response = await fetch(`${base}${path}`, { method, headers, ...json });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${base}${path}: HTTP ${response.status} ${text.slice(0, 300)}`);
    return text === '' ? null : JSON.parse(text);
  }
}

interface Page {
  readonly _scroll_id?: string;
  readonly hits: { readonly hits: readonly { readonly _source: unknown }[] };
}
