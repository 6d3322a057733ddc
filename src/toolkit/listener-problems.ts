import type { OptionProblem } from '../api/index.ts';
import { networkProblems } from './client-address.ts';
import type { TlsOptions } from './tls.ts';
import type { UnixSocketOptions } from './unix-socket.ts';

interface ListenerOptions {
  readonly unix?: UnixSocketOptions;
  readonly tls?: TlsOptions;
  readonly allow?: readonly string[];
}

/** For `validate` of a listener: what the schema of `tls` and `allow` cannot say. */
export function listenerProblems({ unix, tls, allow }: ListenerOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [...networkProblems(allow ?? [], ['allow'])];
  if (unix !== undefined && allow !== undefined)
    problems.push({ path: ['allow'], message: 'is for `listen`; of a Unix socket set `mode`, `owner` or `group`' });
  for (const option of ['client_names', 'client_fingerprints'] as const) {
    if (tls?.[option] === undefined || tls.client_ca !== undefined) continue;
    problems.push({ path: ['tls', option], message: 'asks for certificates; say in `client_ca` who signs them' });
  }
  return problems;
}
