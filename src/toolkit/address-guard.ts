import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { SluiceError, type OutboundRules } from '../api/index.ts';
import { networkFault, Networks } from './client-address.ts';

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
  readonly #denied: Networks;
  readonly #allowed: Networks;

  /** Throws `OPTION_INVALID` for what is no address and no range. */
  constructor({ deny, allow }: OutboundRules) {
    this.#denied = networksOf(deny);
    this.#allowed = networksOf(allow);
  }

  permits(address: string): boolean {
    return this.#allowed.has(address) || !this.#denied.has(address);
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

/** Throws `OPTION_INVALID`. */
function networksOf(rules: readonly string[]): Networks {
  const fault = rules.map(networkFault).find((each) => each !== null);
  if (fault !== undefined) throw new SluiceError('OPTION_INVALID', `reading the addresses of \`outbound\`: ${fault}`);
  return new Networks(rules.flatMap((rule) => (rule.includes(':') ? [rule] : [rule, translated(rule)])));
}

function translated(rule: string): string {
  const [address = '', bits = '32'] = rule.split('/');
  return `${TRANSLATED}${address}/${96 + Number(bits)}`;
}
