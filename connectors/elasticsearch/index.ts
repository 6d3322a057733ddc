import { defineSink, type ConnectorDefinition, type SinkDefinition } from 'sluice/api';
import { sinkOptions, type SinkOptions } from './options.ts';
import { findProblems } from './validate.ts';

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
      title: 'The newest record of each key',
      options: {
        endpoints: ['http://localhost:9200'],
        index: 'customers',
        mode: 'keyed',
      },
    },
  ],
  order: 'none',
  promise: 'effectively-once',
  // Overtaken by a younger delete that Elasticsearch has forgotten (index.gc_deletes), an older record would come back.
  needsOrder: ({ mode }) => mode === 'keyed',
  tiedToTopic: ({ mode, version }) => mode === 'keyed' && version === 'offset',
  holes: findHoles,
  validate: findProblems,
  async check(options, context) {
    const { checkCluster } = await import('./check.ts');
    await checkCluster(options, context);
  },
  async create(options, context) {
    const { createSink } = await import('./create.ts');
    return createSink(options, context);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sinkDefinition];

function findHoles({ mode, version, data_stream: isDataStream }: SinkOptions): readonly string[] {
  if (mode === 'log') {
    return isDataStream
      ? ['ids are unique per backing index: what is sent again after the data stream has rolled over is there twice']
      : ['if `index` is an alias that rolls over: what is sent again after it has rolled over is there twice'];
  }
  return version === 'offset'
    ? ['versions are offsets: when the topic is recreated or its number of partitions changes, the sink stops']
    : ['of records of a key with the same version the last one wins'];
}
