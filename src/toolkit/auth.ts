import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Type, secret, type Static } from '../api/index.ts';

/** Options of listeners whose clients say who they are. */
export const authOptions = Type.Object(
  {
    basic: Type.Optional(
      Type.Object(
        {
          username: Type.String({
            minLength: 1,
            pattern: '^[^:]+$',
            description: 'The user name; it cannot hold a colon.',
          }),
          password: secret({ description: 'The password.' }),
        },
        {
          additionalProperties: false,
          description: 'Serve clients with this name and password (HTTP basic authentication).',
        },
      ),
    ),
    bearer: Type.Optional(secret({ description: 'Serve clients that send `Authorization: Bearer` with this token.' })),
  },
  { additionalProperties: false, description: 'Who is served. Without it everybody who reaches the address.' },
);

export type AuthOptions = Static<typeof authOptions>;

export interface Authenticator {
  /** Judges an `Authorization` header in a time that does not depend on how much of it is right. */
  accepts(authorization: string | undefined): boolean;
  /** What `WWW-Authenticate` says to those who are not accepted. */
  readonly challenge: string;
}

export function createAuthenticator(options: AuthOptions): Authenticator {
  // Digests of one length under a key that nobody knows: equal time whatever is compared.
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const basic = options.basic === undefined ? null : digest(`${options.basic.username}:${options.basic.password}`);
  const bearer = options.bearer === undefined ? null : digest(options.bearer);
  const challenges = [
    ...(basic === null ? [] : ['Basic realm="sluice", charset="UTF-8"']),
    ...(bearer === null ? [] : ['Bearer realm="sluice"']),
  ];
  return {
    challenge: challenges.join(', '),
    accepts: (authorization) => {
      const [, scheme, credentials] = /^(basic|bearer) +(\S+) *$/i.exec(authorization ?? '') ?? [];
      if (scheme === undefined || credentials === undefined) return false;
      if (scheme.toLowerCase() === 'bearer') return bearer !== null && timingSafeEqual(digest(credentials), bearer);
      return basic !== null && timingSafeEqual(digest(Buffer.from(credentials, 'base64').toString('utf8')), basic);
    },
  };
}
