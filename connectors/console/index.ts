import { defineSink, type ConnectorDefinition, type SinkDefinition } from 'sluice/api';
import { sinkOptions } from './options.ts';

export const sinkDefinition: SinkDefinition<typeof sinkOptions> = defineSink({
  name: 'console',
  summary: 'Prints records on the standard output.',
  stability: 'stable',
  options: sinkOptions,
  examples: [
    { title: 'For people', options: {} },
    { title: 'A sample of a busy topic', options: { max_per_second: 5 } },
    { title: 'For other programs', options: { format: 'ndjson' } },
  ],
  order: 'partition',
  promise: 'at-least-once',
  holes: ({ max_per_second: limit }) =>
    limit === undefined ? [] : [`prints ${limit} records a second and skips the others`],
  resources: () => [],
  async create({ format, max_per_second: maxPerSecond = Infinity }, context) {
    const { ConsoleSink } = await import('./sink.ts');
    return new ConsoleSink({ format, maxPerSecond, output: process.stdout }, context);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sinkDefinition];
