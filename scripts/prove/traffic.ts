import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export const clients = 16;
export const recordsPerPost = 5;

/** Clients that post numbered records, and repeat each post until it is acknowledged. */
export class Traffic {
  /** Posts that may be sent by now. */
  allowed = 0;
  acknowledged = 0;
  repeated = 0;
  /** Every post was acknowledged, or one was refused for good. */
  isOver = false;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: clients });
  #next = 0;
  readonly #port: number;
  readonly #posts: number;
  readonly #withKeys: boolean;

  constructor(port: number, posts: number, withKeys: boolean) {
    this.#port = port;
    this.#posts = posts;
    this.#withKeys = withKeys;
  }

  async run(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: clients }, () => this.#client()));
    } finally {
      this.isOver = true;
      this.#agent.destroy();
    }
  }

  async #client(): Promise<void> {
    while (this.#next < this.#posts) {
      if (this.#next >= this.allowed) {
        await sleep(1);
        continue;
      }
      const post = this.#next++;
      const numbers = Array.from({ length: recordsPerPost }, (_, index) => post * recordsPerPost + index);
      const body = JSON.stringify(numbers.map((n) => ({ n, from: 'post' })));
      const key = this.#withKeys ? randomUUID() : null;
      while (!(await this.#post(body, key))) {
        this.repeated++;
        await sleep(20);
      }
      this.acknowledged++;
    }
  }

  /** True when it was acknowledged. A refusal that repeating cannot help is an error. */
  #post(body: string, key: string | null): Promise<boolean> {
    const headers = { 'content-type': 'application/json', ...(key === null ? {} : { 'idempotency-key': key }) };
    return new Promise((resolve, reject) => {
      const sending = request(
        { host: '127.0.0.1', port: this.#port, method: 'POST', agent: this.#agent, headers, timeout: 10_000 },
        (response) => {
          const status = response.statusCode ?? 0;
          response.resume();
          response.once('close', () => {
            if (status >= 200 && status < 300) resolve(true);
            else if (status === 429 || status >= 500) resolve(false);
            else reject(new Error(`posting: HTTP ${status}`));
          });
        },
      );
      sending.once('timeout', () => sending.destroy());
      sending.once('error', () => {
        resolve(false);
      });
      sending.end(body);
    });
  }
}
