import { resolve } from 'node:path';
import { SluiceError, type ConnectorDefinition, type Json } from '../api/index.ts';
import { compileExpression, compileTemplate } from '../expression/index.ts';
import { parseListenAddress } from './listen-address.ts';
import {
  findReferences,
  hasReference,
  resolveReferences,
  unescapeReferences,
  type ReferenceContext,
} from './references.ts';
import { describeSchema } from './describe-schema.ts';
import { branchFor, isObject, own, plainSchema, propertySchema, type JsonObject, type Schema } from './schema.ts';
import { parseDuration, parseSize } from './units.ts';

/**
 * What `create` gets: references resolved, defaults filled in, durations in milliseconds, sizes in bytes, paths absolute, addresses taken
 * apart, templates and expressions compiled. The options were validated before. Throws `REFERENCE_UNRESOLVED` when a reference has no value,
 * and `OPTION_INVALID` when its value is not what the option wants; never with the value in the message.
 */
export function convertOptions(
  definition: Pick<ConnectorDefinition, 'options'>,
  options: Json,
  context: ReferenceContext,
): object {
  return convertWith(definition, options, { ...context, resolves: true });
}

/**
 * The same before anything is resolved, for `validate`, `resources` and `holes` of a definition: what holds a reference stays text, and so do
 * templates and expressions.
 */
export function previewOptions(
  definition: Pick<ConnectorDefinition, 'options'>,
  options: Json,
  baseDir: string,
): object {
  return convertWith(definition, options, { baseDir, resolves: false });
}

/** The hub's own words, converted and defaulted; they hold no references. */
export function convertWords(schema: Schema, value: Json, baseDir: string): unknown {
  return convert(schema, value, '', { baseDir, resolves: false });
}

type Conversion =
  ({ readonly resolves: true } & ReferenceContext) | { readonly resolves: false; readonly baseDir: string };

function convertWith(definition: Pick<ConnectorDefinition, 'options'>, options: Json, conversion: Conversion): object {
  return convertObject(plainSchema(definition.options), isObject(options) ? options : {}, '', conversion);
}

function convert(schema: Schema, value: Json, name: string, conversion: Conversion): unknown {
  const branch = branchFor(schema, value) ?? schema;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return items.map((item, index) => convert(branch.items ?? {}, item, `${name}[${index}]`, conversion));
  }
  if (isObject(value)) return convertObject(branch, value, name, conversion);
  return typeof value === 'string' ? convertText(scalarBranch(schema, branch), value, name, conversion) : value;
}

/** A reference may stand for a number in a union that has no text. */
function scalarBranch(schema: Schema, branch: Schema): Schema {
  return branch === schema && schema.anyOf !== undefined
    ? (schema.anyOf.find(({ type }) => type !== 'array' && type !== 'object') ?? schema)
    : branch;
}

function convertObject(schema: Schema, value: JsonObject, name: string, conversion: Conversion): object {
  const converted: [string, unknown][] = [];
  const at = (key: string): string => (name === '' ? key : `${name}.${key}`);
  for (const [key, item] of Object.entries(value)) {
    const property = propertySchema(schema, key);
    if (property !== undefined) converted.push([key, convert(property, item, at(key), conversion)]);
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.default !== undefined && own(value, key) === undefined)
      converted.push([key, convert(property, property.default, at(key), conversion)]);
  }
  return Object.fromEntries(converted);
}

function convertText(schema: Schema, written: string, name: string, conversion: Conversion): unknown {
  if (!conversion.resolves && hasReference(written)) return written;
  const text = conversion.resolves ? resolveReferences(written, conversion) : unescapeReferences(written);
  const converted = fromText(schema, text, conversion);
  if (converted !== undefined && (schema.enum?.includes(converted as Json) ?? true)) return converted;
  // The value may be a secret: where it came from is enough.
  const from = findReferences(written).map((reference) => reference.written);
  const what = from.length === 0 ? 'the value' : `the value of ${from.join(' and ')}`;
  throw new SluiceError(
    'OPTION_INVALID',
    `converting the option \`${name}\`: ${what} is not ${describeSchema(schema)}`,
  );
}

function fromText(schema: Schema, text: string, { baseDir, resolves }: Conversion): unknown {
  switch (schema.format ?? schema.type) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text.trim()) ? inRange(schema, Number(text)) : undefined;
    case 'number':
      return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text.trim()) ? inRange(schema, Number(text)) : undefined;
    case 'boolean':
      return { true: true, false: false }[text.trim()];
    case 'duration':
      return quantity(parseDuration, text, schema.minimumDuration, schema.maximumDuration);
    case 'size':
      return quantity(parseSize, text, schema.minimumSize, schema.maximumSize);
    case 'listen-address':
      return parseListenAddress(text) ?? undefined;
    case 'path':
    case 'glob':
      return text === '' ? undefined : resolve(baseDir, text);
    case 'template':
      return resolves ? compileTemplate(text, { confined: schema.confined ?? 'none', baseDir }) : text;
    case 'expression':
      return resolves ? compileExpression(text) : text;
    default:
      return isFitting(schema, text) ? text : undefined;
  }
}

function inRange({ minimum = -Infinity, maximum = Infinity }: Schema, value: number): number | undefined {
  return value >= minimum && value <= maximum ? value : undefined;
}

/** Null bounds are open. Shared with validation. */
export function quantity(
  parse: (text: string) => number | null,
  text: string,
  minimum?: string,
  maximum?: string,
): number | undefined {
  const value = parse(text);
  if (value === null) return undefined;
  return inRange({ minimum: bound(parse, minimum, -Infinity), maximum: bound(parse, maximum, Infinity) }, value);
}

function bound(parse: (text: string) => number | null, text: string | undefined, open: number): number {
  return text === undefined ? open : (parse(text) ?? open);
}

function isFitting({ minLength = 0, maxLength = Infinity, pattern }: Schema, text: string): boolean {
  if (text.length < minLength || text.length > maxLength) return false;
  return pattern === undefined || new RegExp(pattern, 'u').test(text);
}
