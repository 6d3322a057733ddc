import { defineSink, SluiceError, type ConnectorDefinition, type SinkDefinition } from 'sluice/api';
import { openSearchOptions, sinkOptions, type SinkOptions } from './options.ts';
import type { ConnectTransport } from './transports/transport.ts';
import { findProblems } from './validate.ts';

/** What both systems do alike. */
const behaviour = {
  order: 'none',
  promise: 'effectively-once',
  // Overtaken by a younger delete that the index has forgotten (index.gc_deletes), an older record would come back; updates have no versions at all.
  needsOrder: ({ mode }: SinkOptions) => mode !== 'log',
  tiedToTopic: ({ mode, version }: SinkOptions) => mode === 'keyed' && version === 'offset',
  holes: findHoles,
  validate: findProblems,
} as const;

export const sinkDefinition: SinkDefinition<typeof sinkOptions> = defineSink({
  name: 'elasticsearch',
  summary: 'Indexes records as documents in Elasticsearch 8 and 9, each once.',
  stability: 'stable',
  options: sinkOptions,
  examples: [
    {
      title: 'An index per day',
      options: {
        endpoints: ['http://localhost:9200'],
        index: "access-{{ formatTime(timestamp, 'yyyy.MM.dd') }}",
      },
    },
    {
      title: 'A data stream of a secured cluster',
      options: {
        endpoints: ['https://es-1:9200', 'https://es-2:9200'],
        index: 'logs-nginx-default',
        data_stream: true,
        auth: { api_key: '${env:SLUICE_ES_API_KEY}' },
        tls: { ca: 'certs/ca.crt' },
      },
    },
    {
      title: 'Changes merged into the document of each key, in Elastic Cloud',
      options: {
        cloud_id: '${env:SLUICE_CLOUD_ID}',
        index: 'customers',
        mode: 'update',
        auth: { api_key: '${env:SLUICE_ES_API_KEY}' },
      },
    },
    {
      title: 'The newest record of each key',
      options: {
        endpoints: ['http://localhost:9200'],
        index: 'customers',
        mode: 'keyed',
      },
    },
  ],
  ...behaviour,
  async check(options, context) {
    const [{ checkCluster }, { connectElasticsearch }] = await Promise.all([
      import('./check.ts'),
      import('./transports/elasticsearch.ts'),
    ]);
    await checkCluster(options, context, connectElasticsearch);
  },
  async create(options, context) {
    const [{ createSink }, { connectElasticsearch }] = await Promise.all([
      import('./create.ts'),
      import('./transports/elasticsearch.ts'),
    ]);
    return createSink(options, context, connectElasticsearch, 'elasticsearch');
  },
});

export const openSearchDefinition: SinkDefinition<typeof openSearchOptions> = defineSink({
  name: 'opensearch',
  summary: 'Indexes records as documents in OpenSearch 2 and 3, each once.',
  stability: 'stable',
  options: openSearchOptions,
  examples: [
    {
      title: 'An index per day',
      options: {
        endpoints: ['http://localhost:9200'],
        index: "access-{{ formatTime(timestamp, 'yyyy.MM.dd') }}",
      },
    },
    {
      title: 'The newest record of each key, in a secured cluster',
      options: {
        endpoints: ['https://node-1:9200', 'https://node-2:9200'],
        index: 'customers',
        mode: 'keyed',
        auth: { basic: { username: 'sluice', password: '${env:SLUICE_OPENSEARCH_PASSWORD}' } },
        tls: { ca: 'certs/root-ca.pem' },
      },
    },
  ],
  ...behaviour,
  async check(options, context) {
    const [{ checkCluster }, connect] = await Promise.all([import('./check.ts'), openSearchTransport()]);
    await checkCluster(options, context, connect);
  },
  async create(options, context) {
    const [{ createSink }, connect] = await Promise.all([import('./create.ts'), openSearchTransport()]);
    return createSink(options, context, connect, 'opensearch');
  },
});

async function openSearchTransport(): Promise<ConnectTransport> {
  try {
    return (await import('./transports/opensearch.ts')).connectOpenSearch;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const remedy =
      'the optional package "@opensearch-project/opensearch" is not installed; run: npm install @opensearch-project/opensearch';
    throw new SluiceError('SINK_BLOCKED', `reaching OpenSearch: ${remedy}`, { cause: error });
  }
}

export const definitions: readonly ConnectorDefinition[] = [sinkDefinition, openSearchDefinition];

function findHoles({ mode, version, update, data_stream: isDataStream }: SinkOptions): readonly string[] {
  if (mode === 'update') {
    return (update.script ?? update.script_id) === undefined
      ? ['a replay of dead letters merges older values over newer ones']
      : ['what is sent again runs the script again'];
  }
  if (mode === 'log') {
    return isDataStream
      ? ['ids are unique per backing index: what is sent again after the data stream has rolled over is there twice']
      : ['if `index` is an alias that rolls over: what is sent again after it has rolled over is there twice'];
  }
  return version === 'offset'
    ? ['versions are offsets: when the topic is recreated or its number of partitions changes, the sink stops']
    : ['of records of a key with the same version the last one wins'];
}
