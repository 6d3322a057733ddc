import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';
import type { Json } from '../api/index.ts';
import { quantity } from './convert.ts';
import { parseListenAddress } from './listen-address.ts';
import { hasReference } from './references.ts';
import { branchFor, isObject, propertySchema, type Schema } from './schema.ts';
import { parseDuration, parseSize } from './units.ts';

/**
 * Says what is wrong with a value, all at once. A reference fits everywhere (`${env:PORT}` for a number): what it stands for is looked at
 * where it is resolved.
 */
export type Validate = (schema: Schema, value: Json) => readonly ErrorObject[];

/** Loads the validator's library, which a worker never needs. */
export async function createValidator(): Promise<Validate> {
  const { Ajv } = await import('ajv');
  // The schemas are ours, and compiling the schema of schemas takes longer than all of them.
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strictTypes: false,
    strictTuples: false,
    meta: false,
    validateSchema: false,
  });
  addVocabulary(ajv);
  const compiled = new Map<string, ValidateFunction>();
  return (schema, value) => {
    const specific = specialise(schema, value);
    const key = JSON.stringify(specific);
    let validate = compiled.get(key);
    if (validate === undefined) compiled.set(key, (validate = ajv.compile(specific)));
    return validate(value) ? [] : (validate.errors ?? []);
  };
}

function addVocabulary(ajv: Ajv): void {
  for (const keyword of ['secret', 'confined', 'minimumDuration', 'maximumDuration', 'minimumSize', 'maximumSize'])
    ajv.addKeyword(keyword);
  for (const format of ['path', 'glob', 'template', 'expression']) ajv.addFormat(format, true);
  ajv.addFormat('listen-address', (text) => parseListenAddress(text) !== null);
  // Their bounds stand beside them in the schema, where a format does not see them: a keyword does.
  ajv.addFormat('duration', true);
  ajv.addFormat('size', true);
  ajv.addKeyword({
    keyword: 'quantity',
    type: 'string',
    errors: false,
    compile: (_on, schema) => {
      const { format, minimumDuration, maximumDuration, minimumSize, maximumSize } = schema as Schema;
      return format === 'duration'
        ? (text: string) => quantity(parseDuration, text, minimumDuration, maximumDuration) !== undefined
        : (text: string) => quantity(parseSize, text, minimumSize, maximumSize) !== undefined;
    },
  });
}

/**
 * The schema for this very value: each union is the branch that was meant, so that a slip in one branch is not reported as a failure of
 * all; and where a reference stands anything goes.
 */
function specialise(schema: Schema, value: Json): Schema | Record<string, never> {
  if (typeof value === 'string' && hasReference(value) && isScalar(schema)) return {};
  const branch = branchFor(schema, value);
  if (branch === null) return schema;
  if (Array.isArray(value)) {
    const { items, ...rest } = branch;
    if (items === undefined) return branch;
    const list = (value as readonly Json[]).map((item) => specialise(items, item));
    const isUniform = new Set(list.map((item) => JSON.stringify(item))).size <= 1;
    if (isUniform) return { ...branch, items: list[0] ?? items };
    return { ...rest, items: list } as unknown as Schema;
  }
  if (isObject(value) && branch.type === 'object') {
    const present = Object.entries(value).flatMap(([key, item]) => {
      const property = propertySchema(branch, key);
      return property === undefined ? [] : [[key, specialise(property, item)] as const];
    });
    // Keys that match a pattern are named now.
    return { ...branch, patternProperties: {}, properties: { ...branch.properties, ...Object.fromEntries(present) } };
  }
  return branch.format === 'duration' || branch.format === 'size' ? ({ ...branch, quantity: true } as Schema) : branch;
}

/** May it be text in a file at all? */
function isScalar(schema: Schema): boolean {
  const branches = schema.anyOf ?? [schema];
  return branches.some(({ type }) => type !== 'array' && type !== 'object');
}
