import { BlockList, isIP } from 'node:net';

/** `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */
export const networkPattern = '^[0-9A-Fa-f:.]+(/\\d{1,3})?$';

/** Null for a text that is no address and no network. */
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

  /** Throws a `TypeError` or `RangeError` for a text in which `networkFault` finds one. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
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
 * The address of the client behind proxies: of the addresses that they appended to `forwarded` (`X-Forwarded-For`), the last that is not a trusted proxy's. What
 * stands further left was claimed by somebody who is not trusted. Null when what a trusted proxy appended is no address.
 */
export function clientAddress(peer: string, forwarded: string | undefined, proxies: Networks): string | null {
  let address = plainAddress(peer);
  const claimed = forwarded === undefined ? [] : forwarded.split(',');
  while (proxies.has(address)) {
    const before = claimed.pop();
    if (before === undefined) return address;
    const found = withoutPort(before.trim());
    if (isIP(found) === 0) return null;
    address = plainAddress(found);
  }
  return address;
}

/** `192.0.2.7:1234`, `[2001:db8::1]:1234`, `[2001:db8::1]` */
function withoutPort(text: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}

function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
