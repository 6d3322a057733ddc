import { defineSource, type ConnectorDefinition, type SourceDefinition } from 'sluice/api';
import { checkListener, listenResource, unixSocketResource } from 'sluice/toolkit';
import { sourceOptions } from './options.ts';
import { findProblems } from './validate.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'socket',
  summary: 'Takes lines, JSON lines and framed bytes over TCP, TLS, UDP and Unix sockets.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'Lines from programs on this machine', options: { listen: '127.0.0.1:5170' } },
    {
      title: 'JSON lines over TLS, acknowledged',
      options: {
        listen: '0.0.0.0:5170',
        format: 'json',
        acknowledge: true,
        tls: { cert: 'certs/server.crt', key: 'certs/server.key' },
      },
    },
    { title: 'Lines from programs of one group', options: { unix: { path: '/run/sluice/lines.sock', group: 'adm' } } },
    { title: 'Datagrams as they are', options: { listen: ':5171', transport: 'udp', framing: 'none' } },
  ],
  rewinds: false,
  placement: 'every',
  ends: false,
  validate: findProblems,
  check: ({ listen: address, unix, tls, transport }) => checkListener({ address, unix, tls, transport }),
  resources: ({ listen, unix, transport }) =>
    unix === undefined ? listenResource(listen, transport) : unixSocketResource(unix),
  async create(options) {
    const { SocketSource } = await import('./source.ts');
    return new SocketSource(options);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];
