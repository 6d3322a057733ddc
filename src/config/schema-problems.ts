import type { ErrorObject } from 'ajv';
import type { Json } from '../api/index.ts';
import { describeSchema, showValue } from './describe-schema.ts';
import { NAME_PATTERN, TOPIC_PATTERN } from './names.ts';
import type { PlaceAt, ProblemCode, ValuePath } from './problems.ts';
import type { Schema } from './schema.ts';
import { didYouMean, suggest } from './suggest.ts';

export interface SchemaProblem {
  /** Below the value that was validated. */
  readonly path: ValuePath;
  readonly at: PlaceAt;
  readonly code: ProblemCode;
  readonly message: string;
}

/** What a validator found, for people: one problem for each place, with what would be right. `subject` is whose options they are. */
export function explainErrors(errors: readonly ErrorObject[], value: Json, subject: string): readonly SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  const misspelt = new Set(errors.flatMap(misspeltOption));
  for (const error of errors) {
    // Branches of a union that did not fit say less than the union.
    if (error.schemaPath.includes('/anyOf/')) continue;
    // It is there, only misspelt: one slip, one problem.
    if (error.keyword === 'required' && misspelt.has(optionOf(error, error.params.missingProperty))) continue;
    const problem = explain(error, value, subject);
    const key = JSON.stringify([problem.path, problem.at]);
    if (!problems.has(key)) problems.set(key, problem);
  }
  return [...problems.values()];
}

function misspeltOption(error: ErrorObject): string[] {
  if (error.keyword !== 'additionalProperties') return [];
  const { additionalProperty: key } = error.params as { additionalProperty: string };
  const meant = suggest(key, Object.keys((error.parentSchema as Schema).properties ?? {}));
  return meant === null ? [] : [optionOf(error, meant)];
}

function optionOf({ instancePath }: ErrorObject, name: unknown): string {
  return `${instancePath}/${String(name)}`;
}

function explain(error: ErrorObject, value: Json, subject: string): SchemaProblem {
  const path = pathOf(error.instancePath, value);
  const schema = error.parentSchema as Schema;
  const place = path.length === 0 ? subject : `${subject} \`${labelOf(path)}\``;
  if (error.keyword === 'additionalProperties') {
    const { additionalProperty: key } = error.params as { additionalProperty: string };
    const meant = didYouMean(key, Object.keys(schema.properties ?? {}));
    const message = `${place} has no option \`${key}\`${meant}`;
    return { path: [...path, key], at: 'key', code: 'CONFIG_UNKNOWN_OPTION', message };
  }
  if (error.keyword === 'required') {
    const { missingProperty: key } = error.params as { missingProperty: string };
    const about = firstSentence(schema.properties?.[key]?.description);
    return { path, at: 'key', code: 'CONFIG_MISSING_OPTION', message: `${place} needs \`${key}\`${about}` };
  }
  return { path, at: 'value', code: codeOf(error.keyword, schema), message: wrongValue(error, path, place) };
}

function wrongValue({ keyword, parentSchema, data }: ErrorObject, path: ValuePath, place: string): string {
  const schema = parentSchema as Schema;
  const given = data as Json;
  const name = path.length === 0 ? place : `\`${labelOf(path)}\``;
  // Somebody forgot the quotes of a password that looks like a number.
  const got = schema.secret === true ? '' : `, got ${showValue(given)}`;
  if (keyword === 'minProperties') return `${name} needs at least one entry`;
  const quotes =
    schema.type === 'string' && schema.format === undefined && ['number', 'boolean'].includes(typeof given);
  const remedy = quotes ? '; put it in quotes' : typeof given === 'string' ? didYouMean(given, wordsOf(schema)) : '';
  return `${name} must be ${describeSchema(schema)}${got}${remedy}`;
}

function wordsOf({ enum: words, anyOf, const: constant }: Schema): readonly string[] {
  const own = [...(words ?? []), ...(constant === undefined ? [] : [constant])].map(String);
  return [...own, ...(anyOf ?? []).flatMap(wordsOf)];
}

function codeOf(keyword: string, { format, pattern }: Schema): ProblemCode {
  if (format === 'duration') return 'CONFIG_BAD_DURATION';
  if (format === 'size') return 'CONFIG_BAD_SIZE';
  if (format === 'listen-address') return 'CONFIG_BAD_ADDRESS';
  if (keyword === 'pattern' && (pattern === NAME_PATTERN || pattern === TOPIC_PATTERN)) return 'CONFIG_BAD_NAME';
  return keyword === 'type' || keyword === 'anyOf' ? 'CONFIG_WRONG_TYPE' : 'CONFIG_BAD_VALUE';
}

/** `/roll/age` → ['roll', 'age'], with numbers for the entries of lists. */
function pathOf(pointer: string, value: Json): ValuePath {
  const steps = pointer.split('/').slice(1);
  const path: (string | number)[] = [];
  let current: unknown = value;
  for (const step of steps) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(current) ? Number(key) : key);
    current = (current as Record<string, unknown> | null)?.[key];
  }
  return path;
}

/** `roll.age`, `include[0]` */
function labelOf(path: ValuePath): string {
  return path.reduce<string>((label, step) => {
    if (typeof step === 'number') return `${label}[${step}]`;
    return label === '' ? step : `${label}.${step}`;
  }, '');
}

function firstSentence(description: string | undefined): string {
  if (description === undefined) return '';
  const sentence = /^.*?\.(?=\s|$)/s.exec(description)?.[0] ?? description;
  return `: ${sentence.replace(/\.$/, '').replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase())}`;
}
