import { secret, Type, type OptionProblem } from '../api/index.ts';
import { headerName } from './header-name.ts';

/** Further headers of clients of HTTP. */
export const clientHeadersOption = Type.Record(
  Type.String({ pattern: headerName }),
  secret({ description: 'The value.' }),
  {
    additionalProperties: false,
    default: {},
    description: 'Further headers of every request, for proxies between.',
  },
);

const OWN_HEADERS = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that a client sets by itself. */
export function clientHeaderProblems(headers: Readonly<Record<string, string>>): readonly OptionProblem[] {
  return Object.keys(headers).flatMap((name) => {
    if (!OWN_HEADERS.has(name.toLowerCase())) return [];
    const instead = { authorization: '; use `auth`', 'proxy-authorization': '; use `proxy.basic`' }[name.toLowerCase()];
    return [{ path: ['headers', name], message: `the header \`${name}\` is set by the sink itself${instead ?? ''}` }];
  });
}
