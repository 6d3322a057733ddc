import type { ConnectorDefinition, Json } from '../api/index.ts';
import { hubFileOptions } from './hub-schema.ts';
import { pipelineOptions, sinkWords, sourceWords } from './pipeline-schema.ts';
import { plainSchema, type Schema } from './schema.ts';

/** One option, for people who look it up: in the documentation, on the terminal. */
export interface OptionReference {
  /** `roll.size`; `users[].name` below a list, `headers.*` below a mapping with free keys. */
  readonly path: string;
  /** `duration, at least 10ms`; `raw or ndjson`. */
  readonly type: string;
  /** As it would be written; null when there is none, or when its own options have them. */
  readonly default: string | null;
  readonly isRequired: boolean;
  /** Plain text with `code`. */
  readonly description: string;
}

/** The options of a connector, in the order of its schema, each before those below it. */
export function connectorReference({ options }: ConnectorDefinition): readonly OptionReference[] {
  return optionsOf(plainSchema(options));
}

/** The options that do not belong to a connector. */
export function commonReference(): Readonly<
  Record<'hub' | 'pipeline' | 'source' | 'sink', readonly OptionReference[]>
> {
  return {
    hub: optionsOf(plainSchema(hubFileOptions)),
    pipeline: optionsOf(plainSchema(pipelineOptions)),
    source: optionsOf(plainSchema(sourceWords)),
    sink: optionsOf(plainSchema(sinkWords)),
  };
}

/** An example of a connector's options as an entry of `sources` or `sinks`: YAML with a line feed at its end. */
export async function exampleEntry({ name }: ConnectorDefinition, options: object): Promise<string> {
  // Workers, which never need it, load this room too.
  const { stringify } = await import('yaml');
  return stringify([{ [name]: options }], { lineWidth: 120, singleQuote: true });
}

function optionsOf(schema: Schema, prefix = ''): OptionReference[] {
  const { properties = {}, required = [] } = objectBranch(schema);
  const own = Object.entries(properties).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    return [describe(path, property, required.includes(name)), ...below(path, property)];
  });
  const free = objectBranch(schema).additionalProperties;
  return typeof free === 'object' ? [...own, ...optionsOf(free, `${prefix}*.`)] : own;
}

function below(path: string, schema: Schema): OptionReference[] {
  const { items } = listBranch(schema);
  return items === undefined ? optionsOf(schema, `${path}.`) : optionsOf(items, `${path}[].`);
}

/** Of several ways to write an option the one that has options of its own. */
function objectBranch(schema: Schema): Schema {
  const isObject = ({ properties, additionalProperties }: Schema): boolean =>
    properties !== undefined || typeof additionalProperties === 'object';
  return schema.anyOf?.find(isObject) ?? schema;
}

function listBranch(schema: Schema): Schema {
  return schema.anyOf?.find(({ items }) => items !== undefined) ?? schema;
}

function describe(path: string, schema: Schema, isRequired: boolean): OptionReference {
  return {
    path,
    type: typeOf(schema),
    default: defaultOf(schema.default),
    isRequired,
    description: schema.description ?? '',
  };
}

function defaultOf(value: Json | undefined): string | null {
  const isEmptyMapping = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (value === undefined || (isEmptyMapping && !Array.isArray(value))) return null;
  return constantText(value);
}

function constantText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const FORMATS: Readonly<Record<string, string>> = {
  duration: 'duration',
  size: 'size',
  'listen-address': 'address',
  path: 'path',
  glob: 'path or pattern',
  template: 'template',
  expression: 'expression',
};

function typeOf(schema: Schema): string {
  const { anyOf, enum: constants, const: constant, format, items, secret } = schema;
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (constants !== undefined)
    return constants
      .map(constantText)
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1');
  if (constant !== undefined) return constantText(constant);
  if (secret === true) return 'secret';
  if (items !== undefined) return listType(items);
  return `${(format === undefined ? undefined : FORMATS[format]) ?? plainType(schema)}${rangeOf(schema)}`;
}

function listType(items: Schema): string {
  const inner = typeOf(items);
  return inner === 'any' ? 'list' : `list of ${inner}`;
}

function plainType({ type, properties, additionalProperties }: Schema): string {
  if (type === 'integer') return 'whole number';
  if (type === 'string') return 'text';
  if (type === 'boolean') return 'true or false';
  if (type === 'object' || properties !== undefined || additionalProperties !== undefined) return 'mapping';
  return typeof type === 'string' ? type : 'any';
}

function rangeOf(schema: Schema): string {
  const low = schema.minimum ?? schema.minimumDuration ?? schema.minimumSize;
  const high = schema.maximum ?? schema.maximumDuration ?? schema.maximumSize;
  if (low !== undefined && high !== undefined) return `, ${low} to ${high}`;
  if (low !== undefined) return `, at least ${low}`;
  return high === undefined ? '' : `, at most ${high}`;
}
