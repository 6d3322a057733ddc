import { BlockList, isIP } from 'node:net';
import { Type, type Static } from '../api/index.ts';
import { basicOf, clientBasicOptions } from './client-auth.ts';

/** How clients of HTTP get through a proxy. */
export const clientProxyOptions = Type.Union(
  [
    Type.Literal('off'),
    Type.Object(
      {
        url: Type.String({ pattern: '^https?://[^/?#@\\s]+/?$', description: 'The address of the proxy.' }),
        basic: Type.Optional(clientBasicOptions),
      },
      { additionalProperties: false },
    ),
  ],
  {
    description:
      'The proxy that requests go through; `off` for none. Without this option the environment says (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), but not for this machine itself.',
    examples: ['off', { url: 'http://proxy:3128' }],
  },
);

export type ClientProxyOptions = Static<typeof clientProxyOptions>;

export interface Proxy {
  readonly url: URL;
  /** For `Proxy-Authorization`. */
  readonly authorization: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for an endpoint; null for a direct connection. */
export function proxyFor(endpoint: URL, options: ClientProxyOptions | undefined, env: Environment): Proxy | null {
  if (options === 'off') return null;
  if (options !== undefined) {
    const { url, basic } = options;
    return { url: new URL(url), authorization: basic === undefined ? null : basicOf(basic) };
  }
  const name = endpoint.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const written = env[name.toLowerCase()] ?? env[name] ?? '';
  if (written === '' || isThisMachine(endpoint.hostname)) return null;
  if (isExempt(endpoint, env.no_proxy ?? env.NO_PROXY ?? '')) return null;
  const url = URL.parse(written.includes('://') ? written : `http://${written}`);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  const { username, password } = url;
  const authorization =
    username === ''
      ? null
      : basicOf({ username: decodeURIComponent(username), password: decodeURIComponent(password) });
  url.username = url.password = '';
  return { url, authorization };
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(hostname);
}

/** `NO_PROXY`: hosts with what is below them, addresses and ranges, each perhaps with a port, or `*`. */
function isExempt(endpoint: URL, list: string): boolean {
  const host = endpoint.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = endpoint.port === '' ? (endpoint.protocol === 'https:' ? '443' : '80') : endpoint.port;
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = entry, ownPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      const isAddress = isIP(entry) > 0;
      if (!isAddress && ownPort !== undefined && ownPort !== port) return false;
      return isSame(host, isAddress ? entry : name);
    });
}

function isSame(host: string, entry: string): boolean {
  const [address = '', bits] = entry.split('/');
  const version = isIP(address);
  if (version > 0) {
    if (isIP(host) !== version) return false;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    const range = new BlockList();
    range.addSubnet(address, bits === undefined ? (version === 4 ? 32 : 128) : Number(bits), family);
    return range.check(host, family);
  }
  const name = entry.replace(/^\*?\./, '').toLowerCase();
  return host === name || host.endsWith(`.${name}`);
}
