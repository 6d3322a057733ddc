import { BlockList, isIP } from 'node:net';
import { SluiceError, Type, type OptionProblem } from '../api/index.ts';

/** `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */
export const networkPattern = '^[0-9A-Fa-f:.]+(/\\d{1,3})?$';

/** For options. */
export function networkList(more: {
  readonly description: string;
  readonly default?: readonly string[];
  readonly examples?: readonly (readonly string[])[];
  readonly minItems?: number;
}) {
  return Type.Array(Type.String({ pattern: networkPattern, maxLength: 64 }), {
    ...more,
    maxItems: 10_000,
  });
}

/** Of listeners whose clients are known by their addresses. */
export const allowOption = networkList({
  minItems: 1,
  examples: [['10.0.0.0/8', '2001:db8::/32']],
  description: 'Serve only clients with an address in one of these networks.',
});

/** For `validate`. */
export function networkProblems(
  networks: readonly string[],
  path: readonly (string | number)[],
): readonly OptionProblem[] {
  return networks.flatMap((network, index) => {
    const message = network.includes('${') ? null : networkFault(network);
    return message === null ? [] : [{ path: [...path, index], message }];
  });
}

/** Null for an address or a network. */
export function networkFault(text: string): string | null {
  const [address = '', bits] = text.split('/');
  const family = isIP(address);
  if (family === 0) return `"${text}" is no address; write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32`;
  const most = family === 4 ? 32 : 128;
  return bits === undefined || Number(bits) <= most ? null : `"${text}" has more than ${most} bits`;
}

/** Addresses, as a list of networks says. IPv4 in IPv6 (`::ffff:10.0.0.1`) is IPv4. */
export class Networks {
  readonly #list = new BlockList();

  /** Throws `OPTION_INVALID` for what is neither an address nor a network. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const fault = networkFault(network);
      if (fault !== null) throw new SluiceError('OPTION_INVALID', `reading a list of networks: ${fault}`);
      const [address = '', bits] = network.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/**
 * The address of the client behind proxies: of the addresses that they appended to `forwarded` (`X-Forwarded-For`, or `Forwarded` of RFC 7239), the last that is not a
 * trusted proxy's. What stands further left was claimed by somebody who is not trusted. Null when what a trusted proxy appended is no address.
 */
export function clientAddress(
  peer: string,
  forwarded: string | readonly string[] | undefined,
  proxies: Networks,
): string | null {
  let address = plainAddress(peer);
  if (!proxies.has(address)) return address;
  const claimed = forwarded === undefined ? [] : forwarded.toString().split(',');
  while (proxies.has(address)) {
    const before = claimed.pop();
    if (before === undefined) return address;
    const found = forwardedAddress(before.trim());
    if (isIP(found) === 0) return null;
    address = plainAddress(found);
  }
  return address;
}

/** `192.0.2.7`, `192.0.2.7:1234`, `[2001:db8::1]:1234`; of `Forwarded`, `for="[2001:db8::1]:1234";proto=https`. */
function forwardedAddress(text: string): string {
  const pair = text.split(';').find((part) => /^\s*for=/i.test(part));
  const node = pair === undefined ? text : pair.slice(pair.indexOf('=') + 1).trim();
  const bare = /^"(.*)"$/.exec(node)?.[1] ?? node;
  return /^\[([^\]]+)\](?::\d+)?$/.exec(bare)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(bare)?.[1] ?? bare;
}

function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
