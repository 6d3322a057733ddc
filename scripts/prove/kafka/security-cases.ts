import type { Address } from '../../services/services.ts';

/** The `kafka` setting of a hub file. */
export type KafkaSetting = Readonly<Record<string, unknown>>;

type Secured = Address<'kafka-secured'>;

interface Mistake {
  readonly kafka: KafkaSetting;
  /** What is said of it. */
  readonly says: RegExp;
}

/** The ways to prove who one is, each as a hub file says it. */
export function waysIn(where: Secured): Readonly<Record<string, KafkaSetting>> {
  const { ca, client_certificate: cert, client_key: key } = where;
  const trusted = { brokers: [where.sasl_tls], tls: { ca } };
  return {
    plain: { ...trusted, sasl: login('plain', 'alice') },
    'scram-sha-512': { ...trusted, sasl: login('scram-sha-512', 'carol') },
    oauthbearer: { ...trusted, sasl: { mechanism: 'oauthbearer', token: unsecuredToken('alice') } },
    'mutual-tls': { brokers: [where.tls], tls: { ca, cert, key } },
  };
}

/** What people get wrong. `closedPort`: nothing listens there. */
export function mistakes(where: Secured, closedPort: number): Readonly<Record<string, Mistake>> {
  const { ca } = where;
  const trusted = { brokers: [where.sasl_tls], tls: { ca } };
  return {
    'wrong-password': {
      kafka: { ...trusted, sasl: { ...login('plain', 'alice'), password: 'wrong' } },
      says: /refuses the user "alice" or its password \(PLAIN\)/,
    },
    'unknown-user': {
      kafka: { ...trusted, sasl: login('scram-sha-512', 'nobody') },
      says: /"nobody".*that the user exists/,
    },
    'no-acl': {
      kafka: { ...trusted, sasl: login('plain', 'bob') },
      says: /the access control of the cluster does not let this user/,
    },
    'plaintext-to-tls': { kafka: { brokers: [where.tls] }, says: /speaks TLS; set `tls: true`/ },
    'tls-to-plaintext': { kafka: { brokers: [where.brokers], tls: { ca } }, says: /speaks plaintext on this port/ },
    'no-certificate': {
      kafka: { brokers: [where.tls], tls: { ca } },
      says: /asks for a client certificate; set `tls.cert` and `tls.key`/,
    },
    unreachable: { kafka: { brokers: [`127.0.0.1:${closedPort}`] }, says: /refuses connections/ },
  };
}

function login(mechanism: string, username: string): KafkaSetting {
  return { mechanism, username, password: `${username}-secret` };
}

/** As brokers take it that do not verify signatures: for tests alone. */
function unsecuredToken(subject: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now - 60, exp: now + 3600 })}.`;
}
