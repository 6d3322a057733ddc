import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../../testing/index.ts';

const PAUSE_MS = 400;

type Fault = (proxy: FaultProxy, random: () => number) => Promise<void>;

/** Each leaves the connection well again. */
const faults: Readonly<Record<string, Fault>> = {
  'connections cut': (proxy) => {
    proxy.cut();
    return Promise.resolve();
  },
  'answers swallowed': async (proxy, random) => {
    await Promise.race([proxy.loseReply({ nth: 1 + Math.floor(random() * 5) }), sleep(1000)]);
  },
  'connections held': async (proxy, random) => {
    proxy.hold();
    await sleep(200 + random() * 800);
    proxy.release();
  },
  'connections slowed': async (proxy, random) => {
    proxy.travel({ delayMs: Math.floor(random() * 20), bytesPerSecond: 20_000 + random() * 200_000, pieceBytes: 700 });
    await sleep(300 + random() * 700);
    proxy.travel({});
  },
};

/** Hurts the connections of a trial at random moments, until the signal aborts. */
export class NetworkFaults {
  readonly #proxies: FaultProxy[] = [];
  readonly counts = new Map<string, number>();

  add(proxy: FaultProxy): void {
    this.#proxies.push(proxy);
  }

  async run(random: () => number, signal: AbortSignal): Promise<void> {
    const names = Object.keys(faults);
    if (this.#proxies.length === 0) return;
    for (;;) {
      await sleep(random() * PAUSE_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const name = names[Math.floor(random() * names.length)]!;
      const proxy = this.#proxies[Math.floor(random() * this.#proxies.length)]!;
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      await faults[name]!(proxy, random);
    }
  }
}
