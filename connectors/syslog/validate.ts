import type { OptionProblem } from 'sluice/api';
import { listenerProblems, reservedHeader, unixSocketProblems } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [...unixSocketProblems(options), ...listenerProblems(options)];
  if (options.unix !== undefined && options.transport === 'udp')
    problems.push({ path: ['transport'], message: 'is for `listen`; for datagrams write `unix: { kind: datagram }`' });
  if (options.tls !== undefined && options.transport === 'udp')
    problems.push({ path: ['tls'], message: 'is over TCP; leave it out or write `transport: tcp`' });
  const reserved = reservedHeader(options.client_header);
  if (reserved !== null) problems.push({ path: ['client_header'], message: reserved });
  return problems;
}
