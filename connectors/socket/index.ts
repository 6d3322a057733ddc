import { defineSource, type ConnectorDefinition, type SourceDefinition } from 'sluice/api';
import { checkListener, listenResource } from 'sluice/toolkit';
import { sourceOptions } from './options.ts';
import { findProblems } from './validate.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'socket',
  summary: 'Takes lines, JSON lines and framed bytes over TCP, TLS and UDP.',
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
    { title: 'Datagrams as they are', options: { listen: ':5171', transport: 'udp', framing: 'none' } },
  ],
  rewinds: false,
  placement: 'every',
  ends: false,
  validate: findProblems,
  check: ({ listen: address, tls, transport }) => checkListener({ address, tls, transport }),
  resources: ({ listen, transport }) => listenResource(listen, transport),
  async create(options) {
    const { SocketSource } = await import('./source.ts');
    return new SocketSource(options);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];
