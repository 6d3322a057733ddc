import type { ConnectorDefinition, Json } from '../api/index.ts';
import { isOnlyReferences } from './references.ts';
import { branchFor, isObject, mapValues, plainSchema, propertySchema, type Schema } from './schema.ts';

const MASK = '***';

/**
 * Options as they may be printed: secrets are `***` unless they are references and nothing else, and so is everything that the connector
 * did not declare, which may be a secret that nobody knows of.
 */
export function maskSecrets(definition: Pick<ConnectorDefinition, 'options'>, options: Json): Json {
  return mask(plainSchema(definition.options), options);
}

function mask(schema: Schema | undefined, value: Json): Json {
  if (schema?.secret === true) return typeof value === 'string' && isOnlyReferences(value) ? value : MASK;
  const branch = schema === undefined ? null : branchFor(schema, value);
  if (branch === null) return MASK;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => mask(branch.items, item));
  if (isObject(value)) return mapValues(value, (item, key) => mask(propertySchema(branch, key), item));
  return value;
}
