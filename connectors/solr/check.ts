import { SluiceError, type CheckContext } from 'sluice/api';
import { HttpClients, type HttpClient } from 'sluice/toolkit';
import { findFacts } from './collection-facts.ts';
import { demandsOf, openSolr } from './create.ts';
import type { SinkOptions } from './options.ts';

/** Throws when Solr would refuse us, as far as that can be told without writing. */
export async function checkSolr(options: SinkOptions, context: CheckContext): Promise<void> {
  const { endpoints, auth, tls, headers, proxy, request_timeout: timeoutMs, collection, core } = options;
  const { clock, outbound, signal } = context;
  const clients = await HttpClients.load({ clock, outbound, auth, tls, headers, proxy, timeoutMs });
  const nodes = endpoints.map((endpoint) => clients.client(endpoint));
  const solr = await openSolr(options, context);
  try {
    await Promise.all(nodes.map((node) => checkNode(node, collection !== undefined, signal)));
    const name = core ?? collection?.constant ?? null;
    if (name === null) return;
    await solr.target(name, signal);
    // To look is not to change: missing fields are named, whoever would create them.
    const found = findFacts(solr, name, { ...demandsOf(options), createsFields: false }, signal);
    await (options.create_fields ? found.catch(passCreatable) : found);
  } finally {
    await Promise.all([...nodes.map((node) => node.close()), solr.close()]);
  }
}

function passCreatable(error: unknown): void {
  if (!(error instanceof SluiceError && error.message.includes('`create_fields`'))) throw error;
}

async function checkNode(node: HttpClient, isCloud: boolean, signal: AbortSignal): Promise<void> {
  const path = '/admin/info/system';
  const doing = node.describe('GET', path);
  const { status, bytes } = await node.send({ method: 'GET', path, query: { wt: 'json' } }, signal);
  if (status === 401) throw blocked(`${doing}: HTTP 401; check \`auth\``);
  // Who may write need not be one who may look at this.
  if (status === 403) return;
  const said = status === 200 ? modeIn(bytes) : null;
  if (said === null)
    throw blocked(`${doing}: HTTP ${status}, and not from Solr; check the path of the endpoint, usually /solr`);
  if (isCloud && said !== 'solrcloud')
    throw blocked(`${doing}: it is no cloud; give \`core\` instead of \`collection\``);
  if (!isCloud && said === 'solrcloud')
    throw blocked(`${doing}: it is a cloud; give \`collection\` instead of \`core\``);
}

function modeIn(bytes: Buffer): string | null {
  try {
    return (JSON.parse(bytes.toString()) as { mode?: string }).mode ?? null;
  } catch {
    return null;
  }
}

function blocked(message: string): SluiceError {
  return new SluiceError('SINK_BLOCKED', message);
}
