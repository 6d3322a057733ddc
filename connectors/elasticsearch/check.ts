import { SluiceError, type CheckContext } from 'sluice/api';
import { decoderFor } from 'sluice/codec';
import type { HttpClientAnswer } from 'sluice/toolkit';
import { readResources } from './bootstrap.ts';
import { readRefusal } from './bulk-reply.ts';
import { openCluster, type Cluster } from './cluster.ts';
import type { NodeRequest } from './node.ts';
import type { SinkOptions } from './options.ts';
import type { ConnectTransport } from './transports/transport.ts';
import { describeRefusal } from './verdicts.ts';

const decode = decoderFor('json', { maxDepth: 64, maxKeys: 100_000 });

/** The first version that says what product it is, which the client asks for. */
const OLDEST: readonly [number, number] = [7, 14];

/** Throws when Elasticsearch would refuse us, as far as that can be told without writing. */
export async function checkCluster(
  options: SinkOptions,
  context: CheckContext,
  connect: ConnectTransport,
): Promise<void> {
  // Whether the files can be read; each is made before the first document.
  await readResources(options.bootstrap, 'elasticsearch');
  const { signal } = context;
  const cluster = await openCluster(options, context, connect);
  try {
    const ids = await Promise.all(cluster.clients.map((node) => checkNode(node, signal)));
    const other = ids.findIndex((id) => id !== ids[0]);
    if (other > 0) {
      const [one, another] = [cluster.clients[0]!, cluster.clients[other]!].map(({ endpoint }) => endpoint);
      throw blocked(`comparing endpoints: ${one} and ${another} belong to different clusters`);
    }
    const ask = (request: NodeRequest): Promise<HttpClientAnswer> => cluster.send(request, signal);
    await checkPrivileges(options, ask);
    await checkIndex(options, ask);
    await checkPipeline(options, ask);
  } finally {
    await cluster.close();
  }
}

type Ask = (request: NodeRequest) => Promise<HttpClientAnswer>;

interface Root {
  readonly version?: { readonly number?: string; readonly distribution?: string };
  readonly cluster_uuid?: string;
}

/** Returns the id of the node's cluster. */
async function checkNode(node: Cluster['clients'][number], signal: AbortSignal): Promise<string> {
  const doing = node.describe('GET', '/');
  const { status, bytes } = await node.send({ method: 'GET', path: '/' }, signal);
  if (status !== 200) throw blocked(`${doing}: ${describeRefusal(readRefusal(bytes, status))}`);
  const { version, cluster_uuid: id = '' } = parsed(bytes) as Root;
  if (version?.distribution === 'opensearch') return id;
  const [major = 0, minor = 0] = (version?.number ?? '').split('.').map(Number);
  const isNewEnough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  if (!isNewEnough)
    throw blocked(`${doing}: version ${version?.number ?? 'unknown'} is older than ${OLDEST.join('.')}`);
  return id;
}

async function checkPrivileges({ index, mode }: SinkOptions, ask: Ask): Promise<void> {
  const name = index.constant ?? `${index.prefix}*`;
  const privileges = mode === 'log' ? ['create_doc'] : ['index', 'delete'];
  const json = { index: [{ names: [name], privileges }] };
  const { status, bytes } = await ask({ method: 'POST', path: '/_security/user/_has_privileges', json });
  // A cluster without security has no such page.
  if (status !== 200) return;
  const answer = parsed(bytes) as { has_all_requested?: boolean; username?: string };
  if (answer.has_all_requested === false)
    throw blocked(`asking for privileges: ${privileges.join(' and ')} on "${name}" are missing; grant them`);
}

interface IndexState {
  readonly settings?: {
    readonly index?: { readonly blocks?: Readonly<Record<string, string>>; readonly verified_before_close?: string };
  };
}

async function checkIndex({ index, bootstrap, data_stream: isDataStream }: SinkOptions, ask: Ask): Promise<void> {
  if (index.constant === null) return;
  const { status, bytes } = await ask({
    method: 'GET',
    path: `/${encodeURIComponent(index.constant)}/_settings`,
    query: {
      // The uuid, so that none is left out.
      filter_path: '*.settings.index.uuid,*.settings.index.blocks,*.settings.index.verified_before_close',
    },
  });
  const name = JSON.stringify(index.constant);
  // Which of its own templates will match is told by the cluster only.
  const makesTemplates = Object.keys(bootstrap.index_templates).length > 0;
  if (status === 404 && !makesTemplates) await checkCreation(name, index.constant, { isDataStream, ask });
  if (status !== 200) return;
  const found = Object.entries(parsed(bytes) as Record<string, IndexState>);
  // Of an alias or a data stream older indexes may be closed or read-only: only one of them is written.
  if (found.length !== 1) return;
  const [real, { settings }] = found[0]!;
  if (settings?.index?.verified_before_close === 'true')
    throw blocked(`looking at the index ${name}: "${real}" is closed`);
  const block = Object.entries(settings?.index?.blocks ?? {}).find(
    ([kind, is]) => is === 'true' && kind !== 'metadata',
  );
  if (block !== undefined)
    throw blocked(`looking at the index ${name}: "${real}" has the block \`index.blocks.${block[0]}\``);
}

interface Templates {
  readonly index_templates?: readonly {
    readonly index_template: {
      readonly index_patterns: string | readonly string[];
      readonly priority?: number;
      readonly data_stream?: object;
    };
  }[];
}

/** The first record has to make it: would it? */
async function checkCreation(
  quoted: string,
  name: string,
  { isDataStream, ask }: { isDataStream: boolean; ask: Ask },
): Promise<void> {
  const { status, bytes } = await ask({
    method: 'GET',
    path: '/_index_template',
    query: {
      filter_path:
        'index_templates.index_template.index_patterns,index_templates.index_template.priority,index_templates.index_template.data_stream',
    },
  });
  if (status !== 200) return;
  const matching = ((parsed(bytes) as Templates).index_templates ?? [])
    .map(({ index_template: template }) => template)
    .filter(({ index_patterns: patterns }) => [patterns].flat().some((pattern) => matches(pattern, name)))
    .sort((one, other) => (other.priority ?? 0) - (one.priority ?? 0));
  const isStream = matching[0]?.data_stream !== undefined;
  if (isDataStream && !isStream)
    throw blocked(
      `looking for the data stream ${quoted}: it is not there, and no index template with \`data_stream\` makes it`,
    );
  if (!isStream) await checkAutoCreation(quoted, ask);
  if (!isDataStream && isStream)
    throw blocked(`looking for the index ${quoted}: its index template makes a data stream; say \`data_stream: true\``);
}

async function checkAutoCreation(quoted: string, ask: Ask): Promise<void> {
  const query = { include_defaults: 'true', filter_path: '**.auto_create_index' };
  const { status, bytes } = await ask({ method: 'GET', path: '/_cluster/settings', query });
  if (status === 200 && /"auto_create_index":"?false/.test(bytes.toString()))
    throw blocked(
      `looking at the index ${quoted}: it is not there, and \`action.auto_create_index\` is false; create it`,
    );
}

async function checkPipeline({ pipeline, bootstrap }: SinkOptions, ask: Ask): Promise<void> {
  if (pipeline === undefined || Object.hasOwn(bootstrap.ingest_pipelines, pipeline)) return;
  const { status } = await ask({ method: 'GET', path: `/_ingest/pipeline/${encodeURIComponent(pipeline)}` });
  if (status === 404) throw blocked(`looking for the ingest pipeline ${JSON.stringify(pipeline)}: there is none`);
}

/** Elasticsearch knows `*` only. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}

function parsed(bytes: Buffer): object {
  const value = decode(bytes);
  return typeof value === 'object' && value !== null ? value : {};
}

function blocked(message: string): SluiceError {
  return new SluiceError('SINK_BLOCKED', message);
}
