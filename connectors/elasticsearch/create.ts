import type { SinkContext } from 'sluice/api';
import { warnUnverified } from 'sluice/toolkit';
import { Bootstrap, readResources, type SearchSystem } from './bootstrap.ts';
import { openCluster } from './cluster.ts';
import type { SinkOptions } from './options.ts';
import { ElasticsearchSink } from './sink.ts';
import type { ConnectTransport } from './transports/transport.ts';

/** Throws `OPTION_INVALID` naming a file that TLS cannot use. */
export async function createSink(
  options: SinkOptions,
  context: SinkContext,
  connect: ConnectTransport,
  system: SearchSystem,
): Promise<ElasticsearchSink> {
  const resources = await readResources(options.bootstrap, system);
  const cluster = await openCluster(options, context, connect);
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
