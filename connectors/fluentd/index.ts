import { defineSource, type ConnectorDefinition, type SourceDefinition } from 'sluice/api';
import { checkListener, listenResource, unixSocketResource } from 'sluice/toolkit';
import { sourceOptions } from './options.ts';
import { findProblems } from './validate.ts';

const HOUR_MS = 60 * 60 * 1000;

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'fluentd',
  summary:
    'Takes what fluentd, Fluent Bit, Docker and fluent loggers send by the forward protocol, or post as to `in_http`.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'For programs on this machine', options: { listen: '127.0.0.1:24224' } },
    {
      title: 'For those of one group, over a Unix socket',
      options: { unix: { path: '/run/sluice/forward.sock', mode: '0660', group: 'adm' } },
    },
    {
      title: 'For the network: TLS and a shared key',
      options: {
        listen: '0.0.0.0:24224',
        tls: { cert: 'certs/server.crt', key: 'certs/server.key' },
        security: { shared_key: '${env:SLUICE_FORWARD_KEY}', self_hostname: 'logs.example.com' },
      },
    },
    {
      title: 'Tag and time as fields of each record',
      options: { listen: ':24224', tag_header: '', tag_field: 'tag', time_field: 'time' },
    },
    {
      title: 'For what posts records as `in_http` of fluentd takes them',
      options: { protocol: 'http', listen: ':9880' },
    },
  ],
  rewinds: false,
  placement: 'every',
  ends: false,
  dedupe: { windowMs: HOUR_MS, maxIds: 200_000 },
  validate: findProblems,
  check: ({ listen: address, unix, tls }) => checkListener({ address, unix, tls }),
  resources: ({ listen, unix }) => (unix === undefined ? listenResource(listen) : unixSocketResource(unix)),
  async create(options) {
    if (options.protocol === 'http') {
      const { FluentdHttpSource } = await import('./http-source.ts');
      return new FluentdHttpSource(options);
    }
    const { FluentdSource } = await import('./source.ts');
    return new FluentdSource(options);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];
