import type { Json } from '../api/index.ts';

/** The part of JSON Schema that options are made of, with the keywords of the option fragments. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly default?: Json;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly minimumDuration?: string;
  readonly maximumDuration?: string;
  readonly minimumSize?: string;
  readonly maximumSize?: string;
  readonly confined?: 'path' | 'name' | 'none';
  readonly secret?: boolean;
  readonly description?: string;
  readonly title?: string;
  readonly examples?: readonly Json[];
}

export type JsonObject = Readonly<Record<string, Json>>;

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function own<Value>(record: Readonly<Record<string, Value>> | undefined, key: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

const plainSchemas = new WeakMap<object, Schema>();

/**
 * What TypeBox built, as people mean it: a union of constants is an `enum`, and an option with a default does not have to be written.
 * The same object for the same schema.
 */
export function plainSchema(schema: object): Schema {
  let plain = plainSchemas.get(schema);
  if (plain === undefined) {
    plain = simplify(JSON.parse(JSON.stringify(schema)) as Schema);
    plainSchemas.set(schema, plain);
  }
  return plain;
}

function simplify(schema: Schema): Schema {
  const { anyOf, properties, patternProperties, items, additionalProperties, required, ...rest } = schema;
  const constants = anyOf?.map((branch) => branch.const);
  const isEnum = constants?.every((constant) => constant !== undefined) === true;
  const optional = (name: string): boolean => own(properties, name)?.default === undefined;
  return {
    ...rest,
    ...(isEnum ? { type: typeof constants[0], enum: constants } : {}),
    ...(anyOf === undefined || isEnum ? {} : { anyOf: anyOf.map(simplify) }),
    ...(properties === undefined ? {} : { properties: mapValues(properties, simplify) }),
    ...(patternProperties === undefined ? {} : { patternProperties: mapValues(patternProperties, simplify) }),
    ...(items === undefined ? {} : { items: simplify(items) }),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === 'object' ? simplify(additionalProperties) : additionalProperties,
        }),
    ...(required === undefined ? {} : { required: required.filter(optional) }),
  };
}

export function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

/** Of a union the branch that this value was meant for; the schema itself when it is none; null when no branch fits. */
export function branchFor(schema: Schema, value: Json): Schema | null {
  if (schema.anyOf === undefined) return schema;
  const fitting = schema.anyOf.filter((branch) => hasType(branch, value) && constantsMatch(branch, value));
  // A constant that is met says more than a type.
  const branch = fitting.find(({ const: constant }) => constant !== undefined) ?? fitting[0];
  return branch === undefined ? null : branchFor(branch, value);
}

function hasType({ type, const: constant, anyOf }: Schema, value: Json): boolean {
  if (anyOf !== undefined) return anyOf.some((branch) => hasType(branch, value));
  if (constant !== undefined) return value === constant;
  if (type === undefined) return true;
  const types = typeof type === 'string' ? [type] : type;
  return types.some((name) => name === typeOf(value) || (name === 'integer' && typeof value === 'number'));
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function constantsMatch({ properties }: Schema, value: Json): boolean {
  if (properties === undefined || !isObject(value)) return true;
  return Object.entries(properties).every(
    ([name, { const: constant }]) => constant === undefined || own(value, name) === constant,
  );
}

/** The schema of one key of an object: its own, or what holds for keys that are not named; undefined when there is none. */
export function propertySchema(schema: Schema, key: string): Schema | undefined {
  const named = own(schema.properties, key);
  if (named !== undefined) return named;
  for (const [pattern, patterned] of Object.entries(schema.patternProperties ?? {}))
    if (new RegExp(pattern, 'u').test(key)) return patterned;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** Calls `visit` for every scalar that a schema describes. */
export function visitScalars(
  schema: Schema,
  value: Json,
  visit: (schema: Schema, value: string | number | boolean, path: readonly (string | number)[]) => void,
  path: readonly (string | number)[] = [],
): void {
  const branch = branchFor(schema, value);
  if (branch === null || value === null) return;
  if (Array.isArray(value)) {
    if (branch.items !== undefined)
      for (const [index, item] of (value as readonly Json[]).entries())
        visitScalars(branch.items, item, visit, [...path, index]);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const property = propertySchema(branch, key);
      if (property !== undefined) visitScalars(property, item, visit, [...path, key]);
    }
  } else visit(branch, value as string | number | boolean, path);
}
