import type { OptionProblem } from 'sluice/api';
import { reservedHeader } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  const { auth, headers, max_body: sent, max_inflated_body: inflated, max_in_flight: inFlight } = options;
  if (auth !== undefined && Object.keys(auth).length === 0) {
    problems.push({ path: ['auth'], message: '`auth` accepts nobody as it is; give `basic`, `bearer` or both' });
  }
  for (const [index, name] of headers.entries()) {
    const message = reservedHeader(name);
    if (message !== null) problems.push({ path: ['headers', index], message });
  }
  if (inFlight < sent + inflated) {
    const message = `must be \`max_body\` and \`max_inflated_body\` together at least, or the largest bodies never fit`;
    problems.push({ path: ['max_in_flight'], message: `\`max_in_flight\` ${message}` });
  }
  return problems;
}
