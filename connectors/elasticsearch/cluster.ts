import { SluiceError, type Clock } from 'sluice/api';
import { EndpointRing } from 'sluice/toolkit';
import { ElasticsearchNode, type NodeAnswer, type NodeRequest, type NodeSettings } from './node.ts';

/** These come from a node, or a proxy before it, that cannot serve now; others may. */
const NODE_IS_AWAY = new Set([502, 503, 504]);

export interface ClusterAnswer extends NodeAnswer {
  /** `POST http://es-1:9200/orders/_bulk`, for messages. */
  readonly doing: string;
}

/** The endpoints of one cluster, in turns. */
export class Cluster {
  readonly nodes: readonly ElasticsearchNode[];
  readonly #ring: EndpointRing<ElasticsearchNode>;

  constructor(endpoints: readonly string[], settings: NodeSettings, clock: Pick<Clock, 'monotonic'>) {
    this.nodes = endpoints.map((endpoint) => new ElasticsearchNode(endpoint.replace(/\/+$/, ''), settings));
    this.#ring = new EndpointRing(this.nodes, clock);
  }

  /**
   * One attempt at each endpoint, until one answers: with the ids of our documents it is harmless when two of them take the request. Throws what the last one
   * failed with.
   */
  async send(request: NodeRequest, signal: AbortSignal): Promise<ClusterAnswer> {
    const tried = new Set<ElasticsearchNode>();
    let failure: unknown;
    for (let node = this.#ring.next(); node !== null; node = this.#ring.next(tried)) {
      tried.add(node);
      try {
        const answer = await node.send(request, signal);
        if (NODE_IS_AWAY.has(answer.status)) this.#ring.failed(node);
        else this.#ring.answered(node);
        return { ...answer, doing: node.describe(request.method, request.path) };
      } catch (error) {
        this.#ring.failed(node);
        // An operator has to know of the one that needs one, whatever the others say.
        if (!needsOperator(failure)) failure = error;
        if (signal.aborted) break;
      }
    }
    throw failure;
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}

function needsOperator(error: unknown): boolean {
  return error instanceof SluiceError && !error.retryable;
}
