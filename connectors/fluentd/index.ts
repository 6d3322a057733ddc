import { defineSource, type ConnectorDefinition, type ListenAddress, type SourceDefinition } from 'sluice/api';
import { checkListener, formatAddress } from 'sluice/toolkit';
import { sourceOptions } from './options.ts';
import { findProblems } from './validate.ts';

const HOUR_MS = 60 * 60 * 1000;

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'fluentd',
  summary: 'Takes what fluentd, Fluent Bit, Docker and fluent loggers send by the forward protocol.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'For programs on this machine', options: { listen: '127.0.0.1:24224' } },
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
  ],
  rewinds: false,
  placement: 'every',
  ends: false,
  dedupe: { windowMs: HOUR_MS, maxIds: 200_000 },
  validate: findProblems,
  check: ({ listen, tls }) => checkListener({ address: listen, ...(tls === undefined ? {} : { tls }) }),
  resources: ({ listen }) => listenResource(listen),
  async create(options) {
    const { FluentdSource } = await import('./source.ts');
    return new FluentdSource(options);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];

/** Port 0 takes any free one, which nobody else has. Before the pipeline runs an address may still be text. */
function listenResource(listen: ListenAddress | string): readonly string[] {
  const text = typeof listen === 'string' ? listen : formatAddress(listen);
  if (text.endsWith(':0')) return [];
  return [`listen ${text.startsWith(':') ? `127.0.0.1${text}` : text}`];
}
