import type { IncomingMessage } from 'node:http';
import { Refusal, type HttpAnswer } from 'sluice/toolkit';

const MAX_KEY_CHARACTERS = 255;

/** Null when there is none. Throws 400 for one that cannot be kept. */
export function idempotencyKey({ headers }: Pick<IncomingMessage, 'headers'>): string | null {
  const header = headers['idempotency-key'];
  if (header === undefined) return null;
  const key = typeof header === 'string' ? header.trim() : header.join(', ');
  if (key !== '' && key.length <= MAX_KEY_CHARACTERS) return key;
  throw new Refusal(400, `an Idempotency-Key has 1 to ${MAX_KEY_CHARACTERS} characters; send one id a request`);
}

/** Clients that do not know each other may choose the same keys: each route and each user has its own. Neither a path nor a user's name holds a line feed. */
export function scopedKey(
  key: string,
  { path, user }: { readonly path: string; readonly user: string | null },
): string {
  return `${path}\n${user ?? ''}\n${key}`;
}

/** Requests with an Idempotency-Key that are not answered yet: a repeat gets the first one's answer, whatever it is. */
export class InFlightRequests {
  readonly #answers = new Map<string, Promise<HttpAnswer>>();

  async join(
    key: string,
    actions: { readonly first: () => Promise<HttpAnswer>; readonly later: () => void },
  ): Promise<HttpAnswer> {
    const other = this.#answers.get(key);
    if (other !== undefined) {
      actions.later();
      return other;
    }
    const answer = actions.first();
    this.#answers.set(key, answer);
    try {
      return await answer;
    } finally {
      this.#answers.delete(key);
    }
  }
}
