import type { ConnectorDefinition, Json } from '../api/index.ts';
import { hubFileOptions } from './hub-schema.ts';
import { wordsSchema } from './leg-entry.ts';
import { pipelineOptions } from './pipeline-schema.ts';
import { isObject, mapValues, plainSchema, type JsonObject, type Schema } from './schema.ts';

/** What editors understand best. */
const DRAFT = 'http://json-schema.org/draft-07/schema#';
const REFERENCE = '\\$\\{(env|file):[^}]+\\}';
/** Names of ours, which mean nothing to an editor. */
const OWN_WORDS = new Set(['secret', 'confined', 'minimumDuration', 'maximumDuration', 'minimumSize', 'maximumSize']);
const PATTERNS: Readonly<Record<string, string>> = {
  duration: '^\\d+(\\.\\d+)? ?(ms|s|m|h|d)$',
  size: '^\\d+(\\.\\d+)? ?(B|[kKMGT]B|[KMGT]iB)$',
};

/** The JSON Schema of the hub file, for editors. */
export function hubSchema(): JsonObject {
  return { $schema: DRAFT, ...asJson(plainSchema(hubFileOptions), false) };
}

/** The JSON Schema of pipeline files, with the options of these connectors, for editors. */
export function pipelineSchema(definitions: readonly ConnectorDefinition[]): JsonObject {
  const skeleton = asJson(plainSchema(pipelineOptions), false);
  const properties = isObject(skeleton.properties) ? skeleton.properties : {};
  const listOf = (list: Json | undefined, kind: string): JsonObject => ({
    ...(isObject(list) ? list : {}),
    items: { $ref: `#/definitions/${kind}` },
  });
  return {
    $schema: DRAFT,
    ...skeleton,
    properties: {
      ...properties,
      sources: listOf(properties.sources, 'source'),
      sinks: listOf(properties.sinks, 'sink'),
    },
    definitions: { source: entrySchema('source', definitions), sink: entrySchema('sink', definitions) },
  };
}

/** One flat object, so that editors offer connectors and words side by side; exactly one connector is required. */
function entrySchema(kind: ConnectorDefinition['kind'], definitions: readonly ConnectorDefinition[]): JsonObject {
  const own = definitions.filter((definition) => definition.kind === kind);
  const connectors = own.map((definition) => [definition.name, connectorSchema(definition)] as const);
  const words = asJson(wordsSchema(kind), false);
  return {
    type: 'object',
    description: `A ${kind}: one connector with its options, and beside it what the hub does for it.`,
    properties: { ...Object.fromEntries(connectors), ...(isObject(words.properties) ? words.properties : {}) },
    additionalProperties: false,
    oneOf: connectors.map(([name]) => ({ required: [name] })),
  };
}

function connectorSchema({ options, summary, examples }: ConnectorDefinition): JsonObject {
  const schema = asJson(plainSchema(options), true);
  const needsNothing = !Array.isArray(schema.required) || schema.required.length === 0;
  return {
    ...schema,
    ...(needsNothing ? { type: ['object', 'null'] } : {}),
    description: summary,
    examples: examples.map((example) => example.options as Json),
  };
}

function asJson(schema: Schema, allowReferences: boolean): JsonObject {
  const { properties, patternProperties, items, anyOf, additionalProperties, required, ...rest } = schema;
  const deeper = (next: Schema): JsonObject => asJson(next, allowReferences);
  const written = Object.fromEntries(Object.entries(rest).filter(([word]) => !OWN_WORDS.has(word))) as JsonObject;
  const { format, ...withoutFormat } = written;
  const pattern = typeof format === 'string' ? PATTERNS[format] : undefined;
  const plain = {
    ...withoutFormat,
    ...(pattern === undefined ? {} : { pattern }),
    ...(properties === undefined ? {} : { properties: mapValues(properties, deeper) }),
    ...(patternProperties === undefined ? {} : { patternProperties: mapValues(patternProperties, deeper) }),
    ...(items === undefined ? {} : { items: deeper(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(deeper) }),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === 'object' ? deeper(additionalProperties) : additionalProperties,
        }),
    ...(required === undefined || required.length === 0 ? {} : { required: [...required] }),
  } as JsonObject;
  return allowReferences && refusesText(plain) ? orReference(plain) : plain;
}

/** A text with a reference in it would not be valid. */
function refusesText({ type, pattern, enum: words, minLength, maxLength }: JsonObject): boolean {
  if (type === 'integer' || type === 'number' || type === 'boolean') return true;
  return type === 'string' && [pattern, words, minLength, maxLength].some((word) => word !== undefined && word !== 1);
}

function orReference(schema: JsonObject): JsonObject {
  const { description, default: preset, examples, ...rest } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    ...(examples === undefined ? {} : { examples }),
    anyOf: [rest, { type: 'string', pattern: REFERENCE }],
  };
}
