import { SluiceError } from 'sluice/api';
import type { SinkOptions } from './options.ts';

const HTTPS_PORT = '443';

/** Throws `OPTION_INVALID` for a cloud id that is none. */
export function endpointsOf({
  endpoints,
  cloud_id: id,
}: Pick<SinkOptions, 'endpoints' | 'cloud_id'>): readonly string[] {
  return id === undefined ? (endpoints ?? []) : [endpointOfCloud(id)];
}

/** `name:base64(host[:port]$elasticsearch[:port]$kibana)`, as the console of Elastic Cloud shows it. */
function endpointOfCloud(id: string): string {
  const text = Buffer.from(id.slice(id.lastIndexOf(':') + 1), 'base64').toString();
  const [host = '', server = ''] = text.split('$');
  const [domain = '', port = HTTPS_PORT] = host.split(':');
  const [name = '', ownPort = port] = server.split(':');
  const endpoint = `https://${name}.${domain}:${ownPort}`;
  if (name !== '' && /^https:\/\/[a-z0-9.-]+:\d+$/i.test(endpoint)) return endpoint;
  throw new SluiceError('OPTION_INVALID', 'reading `cloud_id`: it is none; copy it from the console of Elastic Cloud');
}
