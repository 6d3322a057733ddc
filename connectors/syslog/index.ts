import { defineSource, type ConnectorDefinition, type SourceDefinition } from 'sluice/api';
import { checkListener, listenResource, unixSocketResource } from 'sluice/toolkit';
import { sourceOptions } from './options.ts';
import { findProblems } from './validate.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'syslog',
  summary: 'Takes syslog messages (RFC 5424, RFC 3164) over TCP, TLS, UDP and Unix sockets.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'From rsyslog or syslog-ng on this machine', options: { listen: '127.0.0.1:5514' } },
    {
      title: 'From devices that speak UDP only',
      options: { listen: '0.0.0.0:514', transport: 'udp', client_header: 'syslog.client' },
    },
    {
      title: 'From programs on this machine, as /dev/log, in local time',
      options: { unix: { path: '/run/sluice/log.sock', mode: '0666' }, utc_offset: '+01:00' },
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
  check: ({ listen: address, unix, tls, transport }) => checkListener({ address, unix, tls, transport }),
  resources: ({ listen, unix, transport }) =>
    unix === undefined ? listenResource(listen, transport) : unixSocketResource(unix),
  async create(options) {
    const { SyslogSource } = await import('./source.ts');
    return new SyslogSource(options);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];
