import type { OptionProblem } from 'sluice/api';
import type { SourceOptions } from './options.ts';

/** Names to which the engine gives meaning. */
const RESERVED_HEADER = /^(?:__connect|sluice)\./i;

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (options.tls !== undefined && options.transport === 'udp')
    problems.push({ path: ['tls'], message: 'is over TCP; leave it out or write `transport: tcp`' });
  if (RESERVED_HEADER.test(options.client_header)) {
    const message = `${JSON.stringify(options.client_header)} is a name that dead letters use; choose another one`;
    problems.push({ path: ['client_header'], message });
  }
  return problems;
}
