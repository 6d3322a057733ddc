import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 20;

/** A client that behaves, beside those that do not: what it waits for its answers is what they cost others. */
export class NormalClient {
  posted = 0;
  accepted = 0;
  readonly #port: number;
  readonly #path: string;
  readonly #times: number[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #isStopped = false;

  constructor(port: number, path = '/') {
    this.#port = port;
    this.#path = path;
  }

  /** Posts one record after the other until it is stopped. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      const started = performance.now();
      const status = await this.#post();
      this.#times.push(performance.now() - started);
      this.posted++;
      if (status === 200) this.accepted++;
      await sleep(PAUSE_MS);
    }
    this.#agent.destroy();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Milliseconds. */
  percentile(share: number): number {
    const sorted = this.#times.toSorted((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  }

  #post(): Promise<number> {
    return new Promise((resolve) => {
      const sending = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          path: this.#path,
          method: 'POST',
          agent: this.#agent,
          headers: { 'content-type': 'application/json' },
          timeout: 30_000,
        },
        (response) => {
          response.resume();
          response.once('close', () => {
            resolve(response.statusCode ?? 0);
          });
        },
      );
      sending.once('timeout', () => sending.destroy());
      sending.once('error', () => {
        resolve(0);
      });
      sending.end('{"normal":true}');
    });
  }
}
