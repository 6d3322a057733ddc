import type { OptionProblem } from 'sluice/api';
import { reservedHeader } from 'sluice/toolkit';
import type { SourceOptions } from '../../source-options.ts';
import { PathFields } from './path-fields.ts';

/** What the schema cannot say. */
export function findProblems({ path_fields }: SourceOptions): readonly OptionProblem[] {
  if (path_fields === undefined) return [];
  const problem = PathFields.problemOf(path_fields);
  if (problem !== null) return [{ path: ['path_fields'], message: problem }];
  const reserved = new PathFields(path_fields).names.map(reservedHeader).filter((each) => each !== null);
  return reserved.map((message) => ({ path: ['path_fields'], message }));
}
