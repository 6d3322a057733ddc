import { defineSource, type ConnectorDefinition, type SourceDefinition } from 'sluice/api';
import { sourceOptions } from './options.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'generate',
  summary: 'Makes test records of a seed, at a rate or as fast as they are taken.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'A million records, then the end', options: { count: 1_000_000 } },
    { title: 'A trickle, for ever', options: { rate: 10 } },
    { title: 'Large values from eight streams', options: { size: '4KiB', streams: 8, rate: 50_000 } },
  ],
  rewinds: true,
  placement: 'once',
  ends: true,
  positions: async () => (await import('./positions.ts')).positionTools,
  async create({ count = Infinity, rate = Infinity, size, seed, streams }) {
    const { GenerateSource } = await import('./source.ts');
    return new GenerateSource({ count, rate, size, seed, streams });
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];
