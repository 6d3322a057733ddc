import type { OptionProblem } from 'sluice/api';
import type { SourceOptions } from './options.ts';

/** Names to which the engine gives meaning. */
const RESERVED_HEADER = /^(?:__connect|sluice)\./i;

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  const { auth, headers, max_body: sent, max_inflated_body: inflated, max_in_flight: inFlight } = options;
  if (auth !== undefined && Object.keys(auth).length === 0) {
    problems.push({ path: ['auth'], message: '`auth` accepts nobody as it is; give `basic`, `bearer` or both' });
  }
  for (const [index, name] of headers.entries()) {
    if (!RESERVED_HEADER.test(name)) continue;
    const message = `clients must not set ${JSON.stringify(name)}, which dead letters use; leave it out`;
    problems.push({ path: ['headers', index], message });
  }
  if (inFlight < sent + inflated) {
    const message = `must be \`max_body\` and \`max_inflated_body\` together at least, or the largest bodies never fit`;
    problems.push({ path: ['max_in_flight'], message: `\`max_in_flight\` ${message}` });
  }
  return problems;
}
