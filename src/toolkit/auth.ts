import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Type, secret, type Static } from '../api/index.ts';

const credentials = Type.Object(
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
);

/** Options of listeners whose clients say who they are. */
export const authOptions = Type.Object(
  {
    basic: Type.Optional(credentials),
    bearer: Type.Optional(secret({ description: 'Serve clients that send `Authorization: Bearer` with this token.' })),
    users: Type.Optional(
      Type.Array(credentials, {
        minItems: 1,
        maxItems: 1000,
        description: 'Several names and passwords; a name may stand there twice while its password changes.',
      }),
    ),
    tokens: Type.Optional(
      Type.Array(secret({ description: 'A token as `bearer` takes it.' }), {
        minItems: 1,
        maxItems: 1000,
        description: 'Several tokens: one a client, or the old one and the new.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Who is served: everybody with one of these. Without it everybody who reaches the address.',
  },
);

export type AuthOptions = Static<typeof authOptions>;

export interface Authenticator {
  /**
   * Who an `Authorization` header says that it is: `user ada`, or `token` for whichever token it was, so that it stays the same while tokens change; null for those who are
   * not served. Takes a time that does not depend on how much of it is right.
   */
  identify(authorization: string | undefined): string | null;
  accepts(authorization: string | undefined): boolean;
  /** What `WWW-Authenticate` says to those who are not accepted. */
  readonly challenge: string;
}

export function createAuthenticator({ basic, bearer, users = [], tokens = [] }: AuthOptions): Authenticator {
  // Digests of one length under a key that nobody knows: equal time whatever is compared.
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const known = [...(basic === undefined ? [] : [basic]), ...users].map(({ username, password }) => ({
    name: `user ${username}`,
    digest: digest(`${username}:${password}`),
  }));
  const knownTokens = [...(bearer === undefined ? [] : [bearer]), ...tokens].map((token) => ({
    name: 'token',
    digest: digest(token),
  }));
  const challenges = [
    ...(known.length === 0 ? [] : ['Basic realm="sluice", charset="UTF-8"']),
    ...(knownTokens.length === 0 ? [] : ['Bearer realm="sluice"']),
  ];
  const identify = (authorization: string | undefined): string | null => {
    const [, scheme, sent] = /^(basic|bearer) +(\S+) *$/i.exec(authorization ?? '') ?? [];
    if (scheme === undefined || sent === undefined) return null;
    const isBasic = scheme.toLowerCase() === 'basic';
    const found = digest(isBasic ? Buffer.from(sent, 'base64').toString('utf8') : sent);
    let identity: string | null = null;
    // All of them, whichever it is.
    for (const one of isBasic ? known : knownTokens) if (timingSafeEqual(found, one.digest)) identity = one.name;
    return identity;
  };
  return {
    challenge: challenges.join(', '),
    identify,
    accepts: (authorization) => identify(authorization) !== null,
  };
}
