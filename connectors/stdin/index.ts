import { defineSource, type ConnectorDefinition, type SourceDefinition } from 'sluice/api';
import { sourceOptions } from './options.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'stdin',
  summary: 'Reads lines from the standard input, until it ends.',
  stability: 'stable',
  options: sourceOptions,
  examples: [{ title: 'What is piped into the hub', options: {} }],
  rewinds: false,
  placement: 'every',
  ends: true,
  resources: () => ['standard input'],
  async create() {
    const [{ StdinSource }, { openStandardInput }] = await Promise.all([import('./source.ts'), import('./input.ts')]);
    return new StdinSource(openStandardInput);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition];
