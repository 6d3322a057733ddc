import { Client as ElasticClient } from '@elastic/elasticsearch';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { CloudEvent, emitterFor, Mode, type Message, type TransportFunction } from 'cloudevents';
import { Agent, request } from 'node:http';
import { clientRow, type Client, type Sending } from '../client-row.ts';
import { lacks } from '../peers/prepared.ts';
import { python, pythonPackages } from '../peers/programs.ts';

const AT_ONCE = 200;
const numbersOf = ({ first, count }: Sending): readonly number[] =>
  Array.from({ length: count }, (_each, at) => first + at);
const urlOf = ({ port }: Sending, path: string): string => `http://127.0.0.1:${port}${path}`;

/** What the SDK makes of an event, posted over one connection: it leaves the sending to others. */
function posts(url: string, agent: Agent): TransportFunction {
  return (message: Message) =>
    new Promise((resolve, reject) => {
      const sending = request(url, { method: 'POST', agent, headers: message.headers });
      sending.on('error', reject);
      sending.on('response', (response) => {
        response.resume();
        response.on('close', () => {
          if (response.statusCode === 200) resolve(undefined);
          else reject(new Error(`HTTP ${response.statusCode}`));
        });
      });
      sending.end(message.body);
    });
}

const cloudEvents = (name: string, mode: Mode): Client => ({
  name,
  to: 'events',
  send: async (sending) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const emit = emitterFor(posts(urlOf(sending, '/events'), agent), { mode });
    for (const n of numbersOf(sending))
      await emit(new CloudEvent({ type: 'proof', source: '/proof', data: { n, text: 'from the SDK, Grüße' } }));
    agent.destroy();
    return undefined;
  },
});

const otlp = (name: string, Exporter: typeof JsonExporter | typeof ProtobufExporter, compression: string): Client => ({
  name: `npm ${name}`,
  to: 'logs',
  send: async (sending) => {
    const exporter = new Exporter({
      url: urlOf(sending, '/v1/logs'),
      timeoutMillis: 30_000,
      compression: compression as never,
      concurrencyLimit: 1,
      httpAgentOptions: { keepAlive: true, maxSockets: 1 },
    });
    const limits = { maxQueueSize: 2 * sending.count, maxExportBatchSize: AT_ONCE };
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter, ...limits })] });
    const logger = provider.getLogger('proof');
    for (const n of numbersOf(sending))
      logger.emit({ severityText: 'INFO', body: 'from Node, Grüße', attributes: { n } });
    await provider.forceFlush();
    await provider.shutdown();
    return undefined;
  },
});

const otlpPython = (name: string, flags: readonly string[]): Client => ({
  name: `Python ${name}`,
  to: 'logs',
  send: async (sending) => {
    const packages = await pythonPackages('python-otlp-1.45.2', [
      'opentelemetry-sdk==1.45.2',
      'opentelemetry-exporter-otlp-proto-http==1.45.2',
    ]);
    const numbers = [String(sending.first), String(sending.count)];
    await python('otlp.py', [urlOf(sending, '/v1/logs'), ...numbers, ...flags], packages);
    return undefined;
  },
});

const elastic = (name: string, send: (client: ElasticClient, numbers: readonly number[]) => Promise<void>): Client => ({
  name,
  to: 'bulk',
  send: async (sending) => {
    const client = new ElasticClient({
      node: urlOf(sending, ''),
      compression: name.includes('gzip'),
      maxRetries: 0,
      // Order is that of a connection.
      agent: { connections: 1 },
    });
    await send(client, numbersOf(sending));
    await client.close();
    return undefined;
  },
});

async function bulkRequests(client: ElasticClient, numbers: readonly number[]): Promise<void> {
  for (let from = 0; from < numbers.length; from += AT_ONCE) {
    const operations = numbers.slice(from, from + AT_ONCE).flatMap((n) => [{ index: { _index: 'proof' } }, { n }]);
    const answer = await client.bulk({ operations });
    if (answer.errors || answer.items.length !== operations.length / 2) throw new Error('items were refused');
  }
}

async function bulkHelper(client: ElasticClient, numbers: readonly number[]): Promise<void> {
  const result = await client.helpers.bulk({
    datasource: numbers.map((n) => ({ n })),
    // An id would be the key of the record, and order holds by key then.
    onDocument: () => ({ index: { _index: 'proof' } }),
    concurrency: 1,
    flushBytes: 10_000,
  });
  if (result.successful !== numbers.length) throw new Error(`${result.failed} of ${numbers.length} failed`);
}

export const formatRows = [
  clientRow({
    name: 'cloudevents',
    component: 'http',
    fault: 'the CloudEvents SDK of npm, binary and structured mode',
    records: 1000,
    listeners: {
      events: ({ port }) => `http: { listen: '127.0.0.1:${port}', path: /events, format: cloudevents }`,
    },
    clients: [cloudEvents('binary mode', Mode.BINARY), cloudEvents('structured mode', Mode.STRUCTURED)],
  }),
  clientRow({
    name: 'otlp',
    component: 'http',
    fault: 'the log exporters of OpenTelemetry for Python and Node, protobuf and JSON, with and without gzip',
    records: 5000,
    listeners: { logs: ({ port }) => `http: { listen: '127.0.0.1:${port}', path: /v1/logs, format: otlp_logs }` },
    clients: [
      otlp('JSON', JsonExporter, 'none'),
      otlp('JSON, gzip', JsonExporter, 'gzip'),
      otlp('protobuf', ProtobufExporter, 'none'),
      otlp('protobuf, gzip', ProtobufExporter, 'gzip'),
      otlpPython('protobuf', []),
      otlpPython('protobuf, gzip', ['gzip']),
    ],
    missing: lacks(['python3', 'apt-get install python3 python3-pip']),
  }),
  clientRow({
    name: 'elasticsearch-client',
    component: 'http',
    fault: "Elasticsearch's own client, which takes Sluice for a cluster",
    records: 5000,
    listeners: { bulk: ({ port }) => `http: { listen: '127.0.0.1:${port}', format: elasticsearch_bulk }` },
    clients: [elastic('bulk', bulkRequests), elastic('bulk, gzip', bulkRequests), elastic('helpers.bulk', bulkHelper)],
  }),
];
