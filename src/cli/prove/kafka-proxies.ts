import type { KafkaClient, KafkaSettings } from '../../kafka/index.ts';
import { FaultProxy } from '../../testing/index.ts';

const WAIT_MS = 10_000;

/** Proxies before the brokers of the clusters that a trial uses, which clients of Kafka do not leave: they are redirected where they connect. */
export class KafkaProxies {
  readonly #proxies = new Map<string, FaultProxy>();
  readonly #onProxy: (proxy: FaultProxy) => void;

  constructor(onProxy: (proxy: FaultProxy) => void) {
    this.#onProxy = onProxy;
  }

  /** Those of one cluster. None before TLS, whose certificates are not the proxy's, and with kafkajs, which is not redirected. */
  async add(client: KafkaClient, { brokers, tls, driver }: KafkaSettings): Promise<void> {
    if (tls !== false || driver !== 'native') return;
    const cluster = await client.cluster(AbortSignal.timeout(WAIT_MS));
    const told = cluster.brokers.map(({ host, port }) => `${host}:${port}`);
    for (const address of new Set([...brokers, ...told])) {
      if (this.#proxies.has(address)) continue;
      const colon = address.lastIndexOf(':');
      const proxy = await FaultProxy.start(Number(address.slice(colon + 1)), address.slice(0, colon));
      this.#proxies.set(address, proxy);
      this.#onProxy(proxy);
    }
  }

  /** For the environment of the processes on trial. */
  get redirects(): string {
    return [...this.#proxies].map(([address, proxy]) => `${address}>${proxy.address}`).join(',');
  }

  close(): void {
    for (const proxy of this.#proxies.values()) proxy.close();
  }
}
