import { SluiceError, type Clock } from 'sluice/api';
import {
  HttpEndpoints,
  type EndpointAnswer,
  type HttpClient,
  type HttpClientRequest,
  type HttpClients,
} from 'sluice/toolkit';
import { readClusterState, type CollectionState, type Shard } from './cluster-state.ts';
import { readError } from './update-answer.ts';
import { judgeRefusal } from './verdicts.ts';
import { pathOf, updateRequest, withoutLeader, type Solr, type Target, type UpdateRequest } from './target.ts';

/** While ZooKeeper is away the question hangs as long as its sessions last. */
const STATE_TIMEOUT_MS = 5000;
/** Leaders that change make themselves felt; this is for collections that are split, or made anew. */
const STATE_LIFE_MS = 60_000;
/** Whoever turns an alias to another collection says so to nobody: documents must not go to the old one for long. */
const ALIAS_LIFE_MS = 1000;
/** Collections by template: of those that were not written for long nothing is kept. */
const MAX_COLLECTIONS = 1000;

interface Known {
  readonly state: CollectionState;
  readonly untilMs: number;
}

export interface CloudSettings {
  readonly endpoints: readonly string[];
  readonly routing: 'leaders' | 'endpoints';
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** A SolrCloud, by HTTP alone: who leads which shard is asked of its nodes. */
export class Cloud implements Solr {
  readonly #settings: CloudSettings;
  readonly #clients: HttpClients;
  readonly #endpoints: HttpEndpoints;
  /** By the address that a node gives itself. */
  readonly #nodes = new Map<string, HttpClient>();
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<CollectionState>>();

  constructor(settings: CloudSettings, clients: HttpClients) {
    this.#settings = settings;
    this.#clients = clients;
    this.#endpoints = new HttpEndpoints(clients.all(settings.endpoints), settings.clock);
  }

  async target(name: string, signal: AbortSignal): Promise<Target> {
    const { routing, clock } = this.#settings;
    const known = this.#known.get(name);
    const state =
      known !== undefined && known.untilMs > clock.monotonic() ? known.state : await this.#stateOf(name, signal);
    return { name, shards: state.shards, isCloud: true, isDirect: routing === 'leaders' && state.shards !== null };
  }

  async update(
    target: Target,
    shard: number | null,
    request: UpdateRequest,
    signal: AbortSignal,
  ): Promise<EndpointAnswer> {
    if (shard === null || !target.isDirect)
      return this.#endpoints.send(updateRequest(`${pathOf(target.name)}/update`, request), signal);
    const place: Shard = target.shards![shard]!;
    if (place.leader === null) throw withoutLeader(target, place);
    const node = this.#node(place.leader.nodeUrl);
    const sent = updateRequest(`${pathOf(place.leader.core)}/update`, request);
    const answer = await node.send(sent, signal);
    return { ...answer, doing: node.describe(sent.method, sent.path) };
  }

  ask(request: HttpClientRequest, signal: AbortSignal): Promise<EndpointAnswer> {
    return this.#endpoints.send(request, signal);
  }

  doubt(name: string): void {
    this.#known.delete(name);
  }

  async close(): Promise<void> {
    await Promise.all([this.#endpoints.close(), ...[...this.#nodes.values()].map((node) => node.close())]);
  }

  /** Writes that overlap ask once. */
  #stateOf(name: string, signal: AbortSignal): Promise<CollectionState> {
    const running = this.#asked.get(name);
    if (running !== undefined) return running;
    const asked = this.#askState(name, signal).finally(() => this.#asked.delete(name));
    this.#asked.set(name, asked);
    return asked;
  }

  async #askState(name: string, signal: AbortSignal): Promise<CollectionState> {
    const { monotonic } = { monotonic: () => this.#settings.clock.monotonic() };
    const askedAt = monotonic();
    const answer = await this.#endpoints.send(
      {
        method: 'GET',
        path: '/admin/collections',
        query: { action: 'CLUSTERSTATUS', collection: name, wt: 'json' },
        timeoutMs: STATE_TIMEOUT_MS,
      },
      signal,
    );
    const doing = `${answer.doing} for ${JSON.stringify(name)}`;
    if (answer.status !== 200) throw refusalOf(answer, doing);
    const state = readClusterState(answer.bytes, name, doing);
    if (this.#known.size >= MAX_COLLECTIONS) this.#known.clear();
    this.#known.set(name, { state, untilMs: askedAt + (state.isAlias ? ALIAS_LIFE_MS : STATE_LIFE_MS) });
    return state;
  }

  #node(url: string): HttpClient {
    let node = this.#nodes.get(url);
    if (node === undefined) {
      const isSecured = this.#settings.endpoints.every((endpoint) => endpoint.startsWith('https:'));
      if (isSecured && !url.startsWith('https:'))
        throw new SluiceError(
          'SINK_BLOCKED',
          `routing to ${url}: the endpoints speak TLS, and this node says that it does not; set \`urlScheme\` of the cluster, or \`routing: endpoints\``,
        );
      node = this.#clients.client(url);
      this.#nodes.set(url, node);
    }
    return node;
  }
}

function refusalOf({ status, bytes, retryAfterMs }: EndpointAnswer, doing: string): SluiceError {
  const { message } = readError(bytes);
  // It is asked for one collection: anything that is wrong with the question is wrong with its name.
  if (status === 400 && message === '') return new SluiceError('SINK_BLOCKED', `${doing}: HTTP 400`);
  const { failure } = judgeRefusal({ status, message, doing, location: null, retryAfterMs });
  return failure.disposition === 'split' ? new SluiceError('SINK_BLOCKED', failure.error.message) : failure.error;
}
