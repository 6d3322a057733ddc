import type { SinkContext } from 'sluice/api';
import { loadClientTls, warnUnverified } from 'sluice/toolkit';
import { Bootstrap, readResources, type SearchSystem } from './bootstrap.ts';
import { Cluster } from './cluster.ts';
import { endpointsOf } from './cloud-id.ts';
import type { NodeSettings } from './node.ts';
import type { SinkOptions } from './options.ts';
import { ElasticsearchSink } from './sink.ts';
import type { ConnectTransport, Credentials } from './transports/transport.ts';

/** Throws `OPTION_INVALID` naming a file that TLS cannot use. */
export async function createSink(
  options: SinkOptions,
  context: SinkContext,
  connect: ConnectTransport,
  system: SearchSystem,
): Promise<ElasticsearchSink> {
  const resources = await readResources(options.bootstrap, system);
  const cluster = new Cluster(endpointsOf(options), await nodeSettings(options, connect), context.clock);
  warnUnverified(options.tls, context);
  const settings = {
    index: options.index,
    mode: options.mode,
    version: options.version,
    update: options.update,
    isDataStream: options.data_stream,
    pipeline: options.pipeline ?? null,
    requireAlias: options.require_alias,
    refresh: options.refresh,
    routing: options.routing ?? null,
    isGzipped: options.gzip,
    maxRequestBytes: options.max_request,
    shardTimeoutMs: Math.ceil(options.request_timeout / 2),
  };
  const bootstrap = new Bootstrap(resources, { replaces: options.bootstrap.replace, cluster });
  return new ElasticsearchSink(settings, context, { cluster, bootstrap });
}

export async function nodeSettings(options: SinkOptions, connect: ConnectTransport): Promise<NodeSettings> {
  const { auth, tls, headers, proxy, request_timeout: timeout } = options;
  return {
    connect,
    auth: credentialsOf(auth),
    tls: tls === undefined ? null : await loadClientTls(tls),
    fingerprint: options.tls_fingerprint?.toUpperCase() ?? null,
    proxy: proxy ?? null,
    headers,
    requestTimeoutMs: timeout,
  };
}

function credentialsOf(auth: SinkOptions['auth']): Credentials | null {
  if (auth?.api_key !== undefined) return { apiKey: auth.api_key };
  if (auth?.bearer !== undefined) return { bearer: auth.bearer };
  return auth?.basic ?? null;
}
