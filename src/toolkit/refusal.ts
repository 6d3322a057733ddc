import type { TurnedAway } from './listener-meter.ts';

/**
 * An answer that refuses a request: thrown anywhere below the handler of a listener and written by the listener. The message tells the
 * client what is wrong and what would help; it never holds a secret.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  /** Further fields of the answer's body, such as the place of a fault. */
  readonly fields: Readonly<Record<string, string | number>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Why a client was turned away, for those who count it; null when it was not for who it is. */
  readonly turnedAway: TurnedAway | null;

  constructor(
    status: number,
    message: string,
    options: {
      readonly fields?: Readonly<Record<string, string | number>>;
      readonly headers?: Readonly<Record<string, string>>;
      /** Seconds after which the same request may succeed. */
      readonly retryAfterSeconds?: number;
      readonly turnedAway?: TurnedAway;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.fields = options.fields ?? {};
    this.turnedAway = options.turnedAway ?? null;
    this.headers =
      options.retryAfterSeconds === undefined
        ? (options.headers ?? {})
        : { ...options.headers, 'Retry-After': String(options.retryAfterSeconds) };
  }
}
