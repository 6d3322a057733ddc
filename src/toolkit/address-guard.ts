import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { SluiceError, type OutboundRules } from '../api/index.ts';

/** IPv4 addresses in the clothes of IPv6 reach the same machines: translated by a gateway (RFC 6052). */
const TRANSLATED = '64:ff9b::';

/** Why a connection was not made: waiting would not help. */
class AddressDenied extends SluiceError {
  constructor(host: string, address: string) {
    const what = host === address ? address : `${host} is ${address}, which`;
    super('SINK_BLOCKED', `${what} is denied by \`outbound\` of the hub file`);
  }
}

/** Decides which addresses may be connected to. A name is resolved once, and what was checked is what is connected to. */
export class AddressGuard {
  readonly #denied: BlockList;
  readonly #allowed: BlockList;

  /** Throws `OPTION_INVALID` for what is no address and no range. */
  constructor({ deny, allow }: OutboundRules) {
    this.#denied = blockList(deny);
    this.#allowed = blockList(allow);
  }

  permits(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    return this.#allowed.check(address, family) || !this.#denied.check(address, family);
  }

  /** Throws `AddressDenied` for a host that is an address and denied; names are checked once they are resolved (`lookup`). */
  checkLiteral(host: string): void {
    const address = host.replace(/^\[(.*)\]$/, '$1');
    if (isIP(address) > 0 && !this.permits(address)) throw new AddressDenied(address, address);
  }

  /** For `net.connect`: the addresses of a name that may be connected to, or an error when there are none. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, [] as LookupAddress[]);
        return;
      }
      const permitted = found.filter(({ address }) => this.permits(address));
      const first = permitted[0];
      if (first === undefined) callback(new AddressDenied(hostname, found[0]?.address ?? 'nothing'), []);
      else if (options.all === true) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

/** What is wrong with an entry of the rules; null when nothing is. */
export function addressRuleFault(entry: string): string | null {
  const [address = '', bits, ...rest] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return 'no IP address and no range such as 10.0.0.0/8';
  if (bits === undefined) return null;
  const longest = version === 4 ? 32 : 128;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= longest ? null : `the length of a prefix is 0 to ${longest}`;
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const fault = addressRuleFault(entry);
    if (fault !== null)
      throw new SluiceError('OPTION_INVALID', `reading the address ${JSON.stringify(entry)}: ${fault}`);
    const [address, bits] = entry.split('/') as [string, string?];
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const length = bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits);
    list.addSubnet(address, length, family);
    if (family === 'ipv4') list.addSubnet(`${TRANSLATED}${address}`, 96 + length, 'ipv6');
  }
  return list;
}
