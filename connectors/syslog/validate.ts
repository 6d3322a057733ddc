import type { OptionProblem } from 'sluice/api';
import { reservedHeader } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (options.tls !== undefined && options.transport === 'udp')
    problems.push({ path: ['tls'], message: 'is over TCP; leave it out or write `transport: tcp`' });
  const reserved = reservedHeader(options.client_header);
  if (reserved !== null) problems.push({ path: ['client_header'], message: reserved });
  return problems;
}
