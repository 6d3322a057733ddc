import { defineSink, type ConnectorDefinition, type SinkDefinition } from 'sluice/api';
import { sinkOptions, type SinkOptions } from './options.ts';
import { findProblems } from './validate.ts';

export const sinkDefinition: SinkDefinition<typeof sinkOptions> = defineSink({
  name: 'solr',
  summary: 'Adds records as documents to Solr and SolrCloud 8 and 9, each once.',
  stability: 'stable',
  options: sinkOptions,
  examples: [
    {
      title: 'A core',
      options: { endpoints: ['http://localhost:8983/solr'], core: 'orders', commit_within: '1s' },
    },
    {
      title: 'A collection of a SolrCloud per month, with fields of its own names',
      options: {
        endpoints: ['https://solr-1:8983/solr', 'https://solr-2:8983/solr'],
        collection: "access-{{ formatTime(timestamp, 'yyyy.MM') }}",
        fields: { id: 'request_id', internal: false },
        min_replicas: 2,
        auth: { basic: { username: 'sluice', password: '${env:SLUICE_SOLR_PASSWORD}' } },
        tls: { ca: 'certs/ca.crt' },
      },
    },
    {
      title: 'The newest record of each key, by its offset',
      options: {
        endpoints: ['http://localhost:8983/solr'],
        collection: 'customers',
        mode: 'keyed',
        version: 'offset',
        version_field: 'version_l',
        delete_version_param: 'deleted_version',
        update_chain: 'versioned',
        schema: { version_l: { type: 'plong' } },
        create_fields: true,
      },
    },
  ],
  order: 'none',
  promise: 'effectively-once',
  // Without versions the last one that is written counts.
  needsOrder: ({ mode, version }) => mode !== 'log' && version === 'none',
  tiedToTopic: ({ version }) => version === 'offset',
  holes: findHoles,
  validate: findProblems,
  async check(options, context) {
    const { checkSolr } = await import('./check.ts');
    await checkSolr(options, context);
  },
  async create(options, context) {
    const { createSink } = await import('./create.ts');
    return createSink(options, context);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sinkDefinition];

function findHoles(options: SinkOptions): readonly string[] {
  const { mode, version, operators, only_if: onlyIf, commit } = options;
  const holes: string[] = [];
  if (version === 'offset')
    holes.push('versions are offsets: when the topic is recreated or its number of partitions changes, the sink stops');
  if (mode !== 'log' && version === 'none')
    holes.push('a hub that was taken over may still write an older record of a key; `version` keeps it out');
  if (operators.some((operator) => operator === 'inc' || operator === 'add'))
    holes.push('what is sent again increments or adds once more');
  if (onlyIf === 'version')
    holes.push('what is sent again, its answer lost, finds its own version there and is left out');
  if (commit !== 'hard')
    holes.push(
      'what Solr acknowledges is in its transaction log, not synced to disk: all replicas losing power at once may lose it',
    );
  return holes;
}
