import type { SinkContext } from 'sluice/api';
import { loadClientTls, warnUnverified } from 'sluice/toolkit';
import { Cluster } from './cluster.ts';
import type { NodeSettings } from './node.ts';
import type { SinkOptions } from './options.ts';
import { ElasticsearchSink } from './sink.ts';

/** Throws `OPTION_INVALID` naming a file that TLS cannot use. */
export async function createSink(options: SinkOptions, context: SinkContext): Promise<ElasticsearchSink> {
  const cluster = new Cluster(options.endpoints, await nodeSettings(options), context.clock);
  warnUnverified(options.tls, context);
  const settings = {
    index: options.index,
    mode: options.mode,
    version: options.version,
    isDataStream: options.data_stream,
    pipeline: options.pipeline ?? null,
    isGzipped: options.gzip,
    maxRequestBytes: options.max_request,
    shardTimeoutMs: Math.ceil(options.request_timeout / 2),
  };
  return new ElasticsearchSink(settings, context, cluster);
}

export async function nodeSettings({
  auth,
  tls,
  headers,
  request_timeout: timeout,
}: SinkOptions): Promise<NodeSettings> {
  return {
    auth: auth?.basic ?? (auth?.api_key === undefined ? null : { apiKey: auth.api_key }),
    tls: tls === undefined ? null : await loadClientTls(tls),
    headers,
    requestTimeoutMs: timeout,
  };
}
