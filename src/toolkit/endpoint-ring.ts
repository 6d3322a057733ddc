import type { Clock } from '../api/index.ts';

const MIN_REST_MS = 1000;
const MAX_REST_MS = 60_000;

interface Rest {
  readonly untilMs: number;
  readonly lengthMs: number;
}

/**
 * The endpoints of a system in turns. One that failed rests: others are asked as long as there are any, for a second after the first failure, twice as long
 * after each further one, up to a minute. Then one request is its trial, and the others leave it alone until that is settled.
 */
export class EndpointRing<Endpoint> {
  readonly #endpoints: readonly Endpoint[];
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #rests = new Map<Endpoint, Rest>();
  #turn = 0;

  constructor(endpoints: readonly Endpoint[], clock: Pick<Clock, 'monotonic'>) {
    this.#endpoints = endpoints;
    this.#clock = clock;
  }

  /** The next to ask, of those that are not in `tried`: when all of them rest, the one that is through with it first. Null when all were tried. */
  next(tried: ReadonlySet<Endpoint> = new Set()): Endpoint | null {
    const now = this.#clock.monotonic();
    const count = this.#endpoints.length;
    let best: Endpoint | null = null;
    let bestAt = Infinity;
    for (let step = 0; step < count; step++) {
      const at = (this.#turn + step) % count;
      const endpoint = this.#endpoints[at]!;
      if (tried.has(endpoint)) continue;
      const rest = this.#rests.get(endpoint);
      const restsUntil = rest?.untilMs ?? 0;
      if (restsUntil <= now) {
        this.#turn = at + 1;
        if (rest !== undefined) this.#rests.set(endpoint, { ...rest, untilMs: now + rest.lengthMs });
        return endpoint;
      }
      if (restsUntil < bestAt) [best, bestAt] = [endpoint, restsUntil];
    }
    return best;
  }

  failed(endpoint: Endpoint): void {
    const last = this.#rests.get(endpoint)?.lengthMs ?? MIN_REST_MS / 2;
    const lengthMs = Math.min(MAX_REST_MS, last * 2);
    this.#rests.set(endpoint, { untilMs: this.#clock.monotonic() + lengthMs, lengthMs });
  }

  answered(endpoint: Endpoint): void {
    this.#rests.delete(endpoint);
  }
}
