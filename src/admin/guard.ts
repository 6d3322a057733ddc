import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Clock } from '../api/index.ts';
import { createAuthenticator, isLoopback, type Authenticator } from '../toolkit/index.ts';

export interface Denial {
  readonly status: 401 | 403 | 421 | 429;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Addresses whose failures are remembered; beyond it the oldest is forgotten. */
const MAX_ADDRESSES = 1000;

/**
 * Who may ask. On loopback everybody on the machine, but no web page that a browser on it shows: neither under a foreign name that
 * resolves to 127.0.0.1 nor across origins. Elsewhere whoever has the token.
 */
export class Guard {
  readonly #authenticator: Authenticator | null;
  readonly #clock: Clock;
  readonly #failures = new Map<string, { count: number; until: number }>();

  /** `token` null: bound to loopback, no token needed. */
  constructor(token: string | null, clock: Clock) {
    this.#authenticator = token === null ? null : createAuthenticator({ bearer: token });
    this.#clock = clock;
  }

  /** Null: let in. */
  check(request: IncomingMessage): Denial | null {
    return this.#authenticator === null ? checkLocal(request) : this.#checkToken(request, this.#authenticator);
  }

  #checkToken(request: IncomingMessage, authenticator: Authenticator): Denial | null {
    const address = request.socket.remoteAddress ?? '';
    const failures = this.#failures.get(address);
    const now = this.#clock.monotonic();
    const isRecent = failures !== undefined && now < failures.until;
    if (isRecent && failures.count >= MAX_FAILURES) {
      const seconds = Math.ceil((failures.until - now) / 1000);
      const headers = { 'Retry-After': String(seconds) };
      return { status: 429, message: `too many wrong tokens; try again in ${seconds} s`, headers };
    }
    if (authenticator.accepts(request.headers.authorization)) {
      this.#failures.delete(address);
      return null;
    }
    if (isRecent) failures.count++;
    else this.#remember(address, now + WINDOW_MS);
    const message = 'send the token of the data folder: Authorization: Bearer …';
    return { status: 401, message, headers: { 'WWW-Authenticate': authenticator.challenge } };
  }

  #remember(address: string, until: number): void {
    this.#failures.delete(address);
    this.#failures.set(address, { count: 1, until });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }
}

function checkLocal({ headers }: IncomingMessage): Denial | null {
  const { host, origin } = headers;
  if (host === undefined || !isLocalHost(`http://${host}`))
    return { status: 421, message: 'this API answers to localhost and 127.0.0.1 only' };
  if (origin !== undefined && !isLocalHost(origin))
    return { status: 403, message: 'this API does not answer pages of other sites' };
  return null;
}

function isLocalHost(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const hostname = new URL(url).hostname.replace(/^\[|\]$/g, '');
  // `127.0.0.1.evil.example` is a name, and not ours.
  return hostname === 'localhost' || (isIP(hostname) !== 0 && isLoopback(hostname));
}
