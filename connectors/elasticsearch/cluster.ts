import type { ConnectorContext } from 'sluice/api';
import { HttpClients, HttpEndpoints, type EndpointAnswer } from 'sluice/toolkit';
import { endpointsOf } from './cloud-id.ts';
import { ElasticsearchNode, type NodeRequest } from './node.ts';
import type { SinkOptions } from './options.ts';
import type { ConnectTransport } from './transports/transport.ts';

/** The nodes of one cluster, in turns: with the ids of our documents it is harmless when two of them take a request. */
export type Cluster = HttpEndpoints<NodeRequest>;
export type ClusterAnswer = EndpointAnswer;

/** Throws `OPTION_INVALID` naming a file that TLS cannot use, or a cloud id that is none. */
export async function openCluster(
  options: SinkOptions,
  { clock, outbound }: Pick<ConnectorContext, 'clock' | 'outbound'>,
  connect: ConnectTransport,
): Promise<Cluster> {
  const { auth, tls, headers, proxy, request_timeout: timeoutMs } = options;
  const clients = await HttpClients.load({ clock, outbound, auth, tls, headers, proxy, timeoutMs });
  const nodes = clients.all(endpointsOf(options)).map((client) => new ElasticsearchNode(client, connect));
  return new HttpEndpoints(nodes, clock);
}
