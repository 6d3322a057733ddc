import { dirname } from 'node:path';
import type { Registry } from '../registry/index.ts';
import type { ReferenceContext } from './references.ts';
import type { ProblemList, ValuePath } from './problems.ts';
import { explainErrors } from './schema-problems.ts';
import type { Schema } from './schema.ts';
import type { Validate } from './validator.ts';
import type { YamlFile } from './yaml-file.ts';
import type { Json } from '../api/index.ts';

/** What is at hand while files are loaded. */
export interface LoadContext {
  readonly registry: Registry;
  readonly problems: ProblemList;
  readonly validate: Validate;
  readonly references: Omit<ReferenceContext, 'baseDir'>;
  /** References without a value are errors, and values are looked at. */
  readonly resolve: boolean;
  readonly cwd: string;
}

export function referencesOf(context: LoadContext, file: string): ReferenceContext {
  return { ...context.references, baseDir: dirname(file) };
}

/** Validates a part of a file and reports what is wrong; true when nothing is. */
export function checkPart(
  { problems, validate }: LoadContext,
  part: { file: YamlFile; path: ValuePath; schema: Schema; value: Json; subject: string },
): boolean {
  const { file, path, schema, value, subject } = part;
  const found = explainErrors(validate(schema, value), value, subject);
  for (const problem of found) problems.add(file, [...path, ...problem.path], problem);
  return found.length === 0;
}
