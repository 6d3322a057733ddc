import type { IncomingHttpHeaders } from 'node:http';
import {
  createAuthenticator,
  Networks,
  Refusal,
  signatureCheck,
  type Authenticator,
  type SignatureCheck,
} from 'sluice/toolkit';
import type { RouteOptions } from './options.ts';

/** Who may post to a route. */
export class Gate {
  readonly #networks: Networks | null;
  readonly #authenticator: Authenticator | null;
  readonly #signature: SignatureCheck | null;

  constructor({ allow, auth, signature }: Pick<RouteOptions, 'allow' | 'auth' | 'signature'>) {
    this.#networks = allow === undefined ? null : new Networks(allow);
    this.#authenticator = auth === undefined ? null : createAuthenticator(auth);
    this.#signature = signature === undefined ? null : signatureCheck(signature);
  }

  /** Before the body is read. Returns the user, null for those without a name. Throws 401 and 403. */
  admit(headers: IncomingHttpHeaders, clientAddress: string | null): string | null {
    if (this.#networks !== null && (clientAddress === null || !this.#networks.has(clientAddress)))
      throw new Refusal(403, 'clients with this address are not served here', { turnedAway: 'address' });
    if (this.#authenticator === null) return null;
    const user = this.#authenticator.identify(headers.authorization);
    if (user !== null) return user;
    throw new Refusal(401, 'this needs credentials that are known here; send them in the Authorization header', {
      headers: { 'WWW-Authenticate': this.#authenticator.challenge },
      turnedAway: 'credentials',
    });
  }

  /** `body` is as it was sent. Throws 401. */
  checkSignature(headers: IncomingHttpHeaders, body: Buffer, nowMs: number): void {
    const fault = this.#signature?.fault(headers, body, nowMs) ?? null;
    if (this.#signature === null || fault === null) return;
    throw new Refusal(401, `this needs a signature of the body: ${fault}`, {
      headers: { 'WWW-Authenticate': `Signature header="${this.#signature.header}"` },
      turnedAway: 'signature',
    });
  }
}
