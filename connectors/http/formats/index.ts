import type { RouteOptions } from '../options.ts';
import { CloudEvents } from './cloudevents/cloudevents.ts';
import { Elasticsearch } from './elasticsearch/elasticsearch.ts';
import type { RouteFormat } from './format.ts';
import { OtlpLogs } from './otlp/otlp-logs.ts';
import { PlainFormat } from './plain.ts';
import { formatOfProtocol } from './protocol.ts';

export function createFormat(options: Pick<RouteOptions, 'format' | 'cloudevents' | 'elasticsearch'>): RouteFormat {
  switch (options.format) {
    case 'cloudevents':
      return formatOfProtocol(new CloudEvents(options.cloudevents));
    case 'otlp_logs':
      return formatOfProtocol(new OtlpLogs());
    case 'elasticsearch_bulk':
      return formatOfProtocol(new Elasticsearch(options.elasticsearch));
    default:
      return new PlainFormat(options.format);
  }
}
