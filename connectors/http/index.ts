import { defineSource, type ConnectorDefinition, type SourceDefinition } from 'sluice/api';
import { checkListener, listenResource } from 'sluice/toolkit';
import { sourceOptions } from './options.ts';
import { findProblems } from './validate.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'http',
  summary:
    'Takes JSON, NDJSON, text, CloudEvents, OpenTelemetry logs and Elasticsearch bulk requests that clients post to it.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'For programs on this machine', options: { listen: '127.0.0.1:8080' } },
    {
      title: 'For the network: TLS and a token',
      options: {
        listen: '0.0.0.0:8443',
        path: '/logs',
        tls: { cert: 'certs/server.crt', key: 'certs/server.key' },
        auth: { bearer: '${env:SLUICE_LOGS_TOKEN}' },
      },
    },
    {
      title: 'Lines of text whatever their Content-Type, with who sent them',
      options: { listen: ':8080', format: 'text', headers: ['X-Tenant'] },
    },
    {
      title: 'Webhooks, each path with its own signature',
      options: {
        listen: '0.0.0.0:8443',
        tls: { cert: 'certs/server.crt', key: 'certs/server.key' },
        routes: [
          { path: '/github', signature: { scheme: 'github', secrets: ['${env:SLUICE_GITHUB_SECRET}'] } },
          { path: '/stripe', signature: { scheme: 'stripe', secrets: ['${env:SLUICE_STRIPE_SECRET}'] } },
        ],
      },
    },
    { title: 'Logs of OpenTelemetry exporters', options: { listen: ':4318', path: '/v1/logs', format: 'otlp_logs' } },
    {
      title: 'In place of an Elasticsearch that Beats, Logstash or Fluent Bit write into',
      options: { listen: ':9200', format: 'elasticsearch_bulk' },
    },
  ],
  rewinds: false,
  placement: 'every',
  ends: false,
  dedupe: { windowMs: DAY_MS, maxIds: 200_000 },
  validate: findProblems,
  check: ({ listen: address, tls }) => checkListener({ address, tls }),
  resources: ({ listen }) => listenResource(listen),
  async create(options) {
    const { HttpSource } = await import('./source.ts');
    return new HttpSource(options);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];
