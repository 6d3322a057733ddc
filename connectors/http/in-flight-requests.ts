import type { HttpAnswer } from 'sluice/toolkit';

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
