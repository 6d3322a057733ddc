import { readFile } from 'node:fs/promises';
import { SluiceError, type Failure } from 'sluice/api';
import { readRefusal, type Refusal } from './bulk-reply.ts';
import type { Cluster } from './cluster.ts';
import type { BootstrapOptions } from './options.ts';
import { judgeAnswer } from './verdicts.ts';

/** What the cluster shall have before the first document. */
interface Resource {
  /** `index template "logs"`, for messages. */
  readonly what: string;
  readonly path: string;
  readonly json: object;
  /** A policy of OpenSearch is changed by its sequence number only: one that is there stays. */
  readonly canBeReplaced: boolean;
}

/** In the order in which one needs the other. */
const KINDS = [
  [
    'lifecycle_policies',
    'lifecycle policy',
    { elasticsearch: '/_ilm/policy/', opensearch: '/_plugins/_ism/policies/' },
  ],
  ['ingest_pipelines', 'ingest pipeline', '/_ingest/pipeline/'],
  ['component_templates', 'component template', '/_component_template/'],
  ['index_templates', 'index template', '/_index_template/'],
] as const;

export type SearchSystem = 'elasticsearch' | 'opensearch';

/** Throws `OPTION_INVALID` naming the file that is no JSON object. */
export async function readResources(options: BootstrapOptions, system: SearchSystem): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  for (const [option, what, at] of KINDS) {
    const path = typeof at === 'string' ? at : at[system];
    for (const [name, file] of Object.entries(options[option])) {
      resources.push({
        what: `${what} "${name}"`,
        path: `${path}${encodeURIComponent(name)}`,
        json: await readJson(file),
        canBeReplaced: system === 'elasticsearch' || option !== 'lifecycle_policies',
      });
    }
  }
  return resources;
}

async function readJson(file: string): Promise<object> {
  try {
    const json = JSON.parse(await readFile(file, 'utf8')) as unknown;
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  } catch (error) {
    throw new SluiceError('OPTION_INVALID', `reading ${JSON.stringify(file)} for \`bootstrap\``, { cause: error });
  }
  throw new SluiceError('OPTION_INVALID', `reading ${JSON.stringify(file)} for \`bootstrap\`: it is no JSON object`);
}

/** Makes templates, policies and pipelines before the first write; what is there stays, unless it shall be replaced. */
export class Bootstrap {
  readonly #resources: readonly Resource[];
  readonly #replaces: boolean;
  readonly #cluster: Cluster;
  #done = 0;

  constructor(resources: readonly Resource[], { replaces, cluster }: { replaces: boolean; cluster: Cluster }) {
    this.#resources = resources;
    this.#replaces = replaces;
    this.#cluster = cluster;
  }

  /** Null when all is there. Goes on where it failed. Throws what `Cluster.send` throws. */
  async run(signal: AbortSignal): Promise<Failure | null> {
    for (; this.#done < this.#resources.length; this.#done++) {
      const failure = await this.#make(this.#resources[this.#done]!, signal);
      if (failure !== null) return failure;
    }
    return null;
  }

  async #make({ what, path, json, canBeReplaced }: Resource, signal: AbortSignal): Promise<Failure | null> {
    const doing = `making the ${what}`;
    if (!this.#replaces || !canBeReplaced) {
      const { status, bytes } = await this.#cluster.send({ method: 'GET', path }, signal);
      if (status >= 200 && status < 300) return null;
      if (status !== 404) return refused(readRefusal(bytes, status), doing);
    }
    const { status, bytes } = await this.#cluster.send({ method: 'PUT', path, json }, signal);
    if (status >= 200 && status < 300) return null;
    return refused(readRefusal(bytes, status), doing);
  }
}

function refused(refusal: Refusal, doing: string): Failure {
  const failure = judgeAnswer(refusal, doing, undefined);
  if (failure.disposition !== 'split') return failure;
  // No record can help it: halves would become dead letters one by one.
  const remedy = refusal.reason.includes('no handler found')
    ? 'this cluster knows none; leave it out'
    : 'mend the file';
  return { disposition: 'block', error: new SluiceError('SINK_BLOCKED', `${failure.error.message}; ${remedy}`) };
}
