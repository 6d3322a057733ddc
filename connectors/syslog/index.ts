import { defineSource, type ConnectorDefinition, type ListenAddress, type SourceDefinition } from 'sluice/api';
import { formatAddress } from 'sluice/toolkit';
import { sourceOptions } from './options.ts';
import { findProblems } from './validate.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'syslog',
  summary: 'Takes syslog messages (RFC 5424, RFC 3164) over TCP, TLS and UDP.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'From rsyslog or syslog-ng on this machine', options: { listen: '127.0.0.1:5514' } },
    {
      title: 'From devices that speak UDP only',
      options: { listen: '0.0.0.0:514', transport: 'udp', client_header: 'syslog.client' },
    },
    {
      title: 'Over TLS, from clients with a certificate',
      options: {
        listen: '0.0.0.0:6514',
        tls: { cert: 'certs/server.crt', key: 'certs/server.key', client_ca: 'certs/clients.crt' },
      },
    },
  ],
  rewinds: false,
  placement: 'every',
  ends: false,
  validate: findProblems,
  async check(options) {
    const { checkSyslog } = await import('./source.ts');
    await checkSyslog(options);
  },
  resources: ({ listen, transport }) => listenResource(listen, transport),
  async create(options) {
    const { SyslogSource } = await import('./source.ts');
    return new SyslogSource(options);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];

/** Port 0 takes any free one, which nobody else has. Before the pipeline runs an address may still be text. */
function listenResource(listen: ListenAddress | string, transport: 'tcp' | 'udp'): readonly string[] {
  const text = typeof listen === 'string' ? listen : formatAddress(listen);
  if (text.endsWith(':0')) return [];
  return [`${transport === 'udp' ? 'listen udp' : 'listen'} ${text.startsWith(':') ? `127.0.0.1${text}` : text}`];
}
