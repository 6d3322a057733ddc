export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export function addressOf({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `host:port` or `[::1]:port`, as the options allow it. */
export function parseAddress(address: string): BrokerAddress {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
