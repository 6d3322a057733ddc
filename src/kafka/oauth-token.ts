import { SluiceError, type Clock } from '../api/index.ts';
import type { KafkaSettings } from './options.ts';

const LIMIT_MS = 10_000;
const LIMIT_BYTES = 64 * 1024;
/** Of its lifetime: then a token is renewed. Before the sessions that it opened are, so that each connection begins with a new one. */
const RENEWED_AFTER = 0.7;
/** RFC 6749 leaves it to the endpoint to say; without a word nothing long-lived is assumed. */
const DEFAULT_LIFETIME_S = 300;
const DOING = 'asking for a Kafka access token';

type Sasl = NonNullable<KafkaSettings['sasl']>;
type OAuth = NonNullable<Sasl['oauth']>;

interface Token {
  readonly value: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** The bearer token of `sasl: { mechanism: oauthbearer }`: the one of the settings, or one by client credentials (RFC 6749 §4.4), kept while it lives. */
export class OAuthTokens {
  readonly #sasl: Sasl;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #token: Token | null = null;
  #asking: Promise<Token> | null = null;

  /** What waits for the endpoint ends when the signal aborts. */
  constructor(sasl: Sasl, clock: Clock, signal: AbortSignal) {
    this.#sasl = sasl;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Rejects with `KAFKA_CREDENTIALS` when the endpoint refuses, with a retryable `KAFKA_UNREACHABLE` when it does not answer. */
  async get(): Promise<string> {
    const { token, oauth } = this.#sasl;
    if (oauth === undefined) return token ?? '';
    if (this.#token !== null && this.#clock.monotonic() < this.#token.renewAt) return this.#token.value;
    this.#asking ??= this.#ask(oauth).finally(() => (this.#asking = null));
    try {
      this.#token = await this.#asking;
    } catch (error) {
      // An endpoint that is away for a while costs nothing while the last token lives.
      if (this.#token === null || this.#clock.monotonic() >= this.#token.expiresAt) throw error;
    }
    return this.#token.value;
  }

  async #ask(oauth: OAuth): Promise<Token> {
    const asked = this.#clock.monotonic();
    const { status, text, isJson } = await this.#post(oauth);
    const answer = isJson ? parseObject(text) : null;
    if (status !== 200) throw refusal(oauth, status, answer);
    const { access_token: value, expires_in: lifetime = DEFAULT_LIFETIME_S } = answer ?? {};
    if (typeof value !== 'string' || value === '' || typeof lifetime !== 'number' || !(lifetime > 0))
      throw unusable(oauth, 'the answer is not a token in JSON');
    return { value, renewAt: asked + lifetime * 1000 * RENEWED_AFTER, expiresAt: asked + lifetime * 1000 };
  }

  async #post(oauth: OAuth): Promise<{ status: number; text: string; isJson: boolean }> {
    const { token_endpoint: endpoint, client_id: id, client_secret: secret, scope } = oauth;
    const credentials = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64');
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(LIMIT_MS)]);
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        // A redirect would carry the secret to wherever it points.
        redirect: 'error',
        headers: { authorization: `Basic ${credentials}`, accept: 'application/json' },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }),
        signal,
      });
      const isJson = /^application\/([\w.-]+\+)?json\b/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, text: await limitedText(response, oauth), isJson };
    } catch (cause) {
      if (cause instanceof SluiceError) throw cause;
      this.#signal.throwIfAborted();
      const what = signal.aborted ? `no answer within ${LIMIT_MS / 1000} s` : 'it cannot be reached, or redirects';
      throw new SluiceError('KAFKA_UNREACHABLE', `${DOING} at ${hostOf(oauth)}: ${what}`, { retryable: true, cause });
    }
  }
}

async function limitedText(response: Response, oauth: OAuth): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LIMIT_BYTES) throw unusable(oauth, `the answer is longer than ${LIMIT_BYTES / 1024} KiB`);
  }
  return Buffer.concat(chunks).toString();
}

function refusal(oauth: OAuth, status: number, answer: Record<string, unknown> | null): SluiceError {
  // The registered codes (`invalid_client`) only: descriptions may repeat what was sent.
  const error = typeof answer?.error === 'string' && /^[a-z_]{1,40}$/.test(answer.error) ? ` (${answer.error})` : '';
  const message = `${DOING} at ${hostOf(oauth)}: HTTP ${status}${error}`;
  const isPassing = status >= 500 || status === 429 || status === 408;
  return new SluiceError(isPassing ? 'KAFKA_UNREACHABLE' : 'KAFKA_CREDENTIALS', message, { retryable: isPassing });
}

function unusable(oauth: OAuth, what: string): SluiceError {
  return new SluiceError('KAFKA_CREDENTIALS', `${DOING} at ${hostOf(oauth)}: ${what}`);
}

// The URL's query may hold secrets.
function hostOf({ token_endpoint: endpoint }: OAuth): string {
  return URL.parse(endpoint)?.host ?? 'an address that is none';
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
