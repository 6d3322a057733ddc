import type { OptionProblem } from 'sluice/api';
import { listenerProblems, reservedHeader, unixSocketProblems } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const { transport, framing } = options;
  const problems: OptionProblem[] = [...unixSocketProblems(options), ...listenerProblems(options)];
  if (options.unix !== undefined && transport === 'udp')
    problems.push({ path: ['transport'], message: 'is for `listen`; leave it out: `unix` is a stream' });
  if (options.tls !== undefined && transport === 'udp')
    problems.push({ path: ['tls'], message: 'is over TCP; leave it out or write `transport: tcp`' });
  if (options.acknowledge && transport === 'udp')
    problems.push({ path: ['acknowledge'], message: 'is over TCP; leave it out or write `transport: tcp`' });
  if (framing === 'none' && transport === 'tcp')
    problems.push({
      path: ['framing'],
      message: 'a connection has to say where records end: `lines`, `nul` or `length`',
    });
  if (framing === 'length' && options.max_frame > 2 ** (8 * options.length_bytes) - 1 && options.length_bytes < 4)
    problems.push({ path: ['max_frame'], message: `is more than a length of ${options.length_bytes} bytes can say` });
  const reserved = reservedHeader(options.client_header);
  if (reserved !== null) problems.push({ path: ['client_header'], message: reserved });
  return problems;
}
