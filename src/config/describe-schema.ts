import type { Json } from '../api/index.ts';
import { NAME_PATTERN, NAME_RULE, TOPIC_PATTERN, TOPIC_RULE } from './names.ts';
import type { Schema } from './schema.ts';

/** What a value has to be, to end the sentence "`x` must be …". */
export function describeSchema(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(describeSchema).join(' or ');
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return `one of ${schema.enum.map(code).join(', ')}`;
  switch (schema.format) {
    case 'duration':
      return `a duration such as 500ms, 5s or 1h${range(schema.minimumDuration, schema.maximumDuration)}`;
    case 'size':
      return `a size such as 64KiB, 16MiB or 1GiB${range(schema.minimumSize, schema.maximumSize)}`;
    case 'listen-address':
      return 'an address such as 127.0.0.1:8080, [::1]:8080 or :8080';
    case 'path':
      return 'a path';
    case 'glob':
      return 'a path or a pattern such as logs/*.log';
    case 'template':
      return 'text, with {{ expressions }} in it or not';
    case 'expression':
      return 'an expression such as value.status >= 500';
    default:
      return byType(schema);
  }
}

/** A value as somebody wrote it, short enough for a line. */
export function showValue(value: Json): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…"`;
}

function byType({ type, minimum, maximum, minLength, pattern, minItems, examples }: Schema): string {
  switch (type) {
    case 'integer':
      return `a whole number${range(minimum, maximum)}`;
    case 'number':
      return `a number${range(minimum, maximum)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return minItems === undefined || minItems === 0 ? 'a list' : 'a list with at least one entry';
    case 'object':
      return 'a mapping';
    default:
      if (pattern === NAME_PATTERN) return NAME_RULE;
      if (pattern === TOPIC_PATTERN) return TOPIC_RULE;
      if (pattern !== undefined && typeof examples?.[0] === 'string') return `text such as ${examples[0]}`;
      if (pattern !== undefined) return `text that matches ${pattern}`;
      return minLength === undefined ? 'text' : 'text that is not empty';
  }
}

function range(minimum: string | number | undefined, maximum: string | number | undefined): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  return maximum === undefined ? '' : `, at most ${maximum}`;
}

function code(value: Json): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
