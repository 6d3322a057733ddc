import type { ConnectorDefinition } from 'sluice/api';
import { directoryDefinition } from './directory-definition.ts';
import { sinkDefinition } from './sink-definition.ts';
import { sourceDefinition } from './source-definition.ts';

export const definitions: readonly ConnectorDefinition[] = [sourceDefinition, directoryDefinition, sinkDefinition];
