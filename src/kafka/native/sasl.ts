import { ResponseError, type SASLMechanismValue, type SASLOptions } from '@platformatic/kafka';
import type { OAuthTokens } from '../oauth-token.ts';
import type { KafkaSettings } from '../options.ts';
import { KafkaError } from './errors.ts';
import { scram } from './scram.ts';

type Sasl = NonNullable<KafkaSettings['sasl']>;
type Authenticate = Parameters<NonNullable<SASLOptions['authenticate']>>[2];
type Answer = Awaited<ReturnType<Authenticate['async']>>;
type Connection = Parameters<Authenticate['async']>[0];

/** The names of the mechanisms in the protocol. */
const mechanisms: Readonly<Record<Sasl['mechanism'], SASLMechanismValue>> = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
};

const DOING = 'connecting to Kafka';

export interface SaslSession {
  readonly options: SASLOptions;
  /** How long the broker accepts requests after the authentication; null: without end, or not authenticated yet. */
  lifetimeMs: number | null;
}

/**
 * How one connection authenticates. The exchanges are our own: those of the package take a refused token for an accepted one, and throw out of the socket's
 * event at a malformed SCRAM message. It also authenticates anew amid other requests, which the broker does not allow: connections are made anew instead.
 */
export function saslSession(sasl: Sasl, tokens: OAuthTokens, broker: string): SaslSession {
  const session: SaslSession = {
    lifetimeMs: null,
    options: {
      mechanism: mechanisms[sasl.mechanism],
      authenticate: (_mechanism, connection, authenticate, _username, _password, _token, callback) => {
        exchange(sasl, tokens, broker, connection, authenticate).then(
          ({ sessionLifetimeMs, ...last }) => {
            session.lifetimeMs = sessionLifetimeMs > 0n ? Number(sessionLifetimeMs) : null;
            // Zero: the package is not to authenticate again.
            callback(null, { ...last, sessionLifetimeMs: 0n });
          },
          (error: unknown) => {
            callback(error as Error);
          },
        );
      },
    },
  };
  return session;
}

async function exchange(
  sasl: Sasl,
  tokens: OAuthTokens,
  broker: string,
  connection: Connection,
  authenticate: Authenticate,
): Promise<Answer> {
  const { mechanism, username = '', password = '' } = sasl;
  let last: Answer | null = null;
  const send = async (message: Buffer): Promise<Buffer> => {
    try {
      last = await authenticate.async(connection, message);
      return last.authBytes;
    } catch (error) {
      throw refused(error, sasl, broker);
    }
  };
  if (mechanism === 'plain') await send(Buffer.from(`\0${username}\0${password}`));
  else if (mechanism === 'oauthbearer') await bearer(await tokens.get(), send, broker);
  else await scram({ hash: mechanism === 'scram-sha-256' ? 'sha256' : 'sha512', username, password, send, broker });
  return last!;
}

/** RFC 7628: a refusal comes as a message, which the client answers with one byte before the server fails the exchange. */
async function bearer(token: string, send: (message: Buffer) => Promise<Buffer>, broker: string): Promise<void> {
  if (!/^[\w.~+/-]+=*$/.test(token)) throw credentials(`the token for broker ${broker} is not a bearer token`);
  const refusal = await send(Buffer.from(`n,,\x01auth=Bearer ${token}\x01\x01`));
  if (refusal.length === 0) return;
  await send(Buffer.from('\x01'));
  throw refusedToken(broker);
}

function refused(error: unknown, { mechanism, username }: Sasl, broker: string): unknown {
  if (!(error instanceof ResponseError)) return error;
  if (mechanism === 'oauthbearer') return refusedToken(broker);
  const who = `the user ${JSON.stringify(username)} or its password (${mechanisms[mechanism]})`;
  return credentials(`broker ${broker} refuses ${who}; check \`sasl\`, and that the user exists for this mechanism`);
}

function refusedToken(broker: string): KafkaError {
  return credentials(`broker ${broker} refuses the token; check its issuer, audience and expiry`);
}

/** What a broker answered that does not offer the mechanism. */
export function withoutMechanism({ mechanism }: Sasl, offered: readonly string[], broker: string): KafkaError {
  const offers = offered.length === 0 ? 'asks for no credentials' : `offers ${offered.join(', ')}`;
  const remedy =
    offered.length === 0 ? 'leave `sasl` out, or use another port' : 'set `sasl.mechanism` to one of these';
  return credentials(`broker ${broker} does not offer ${mechanisms[mechanism]}: it ${offers}; ${remedy}`);
}

function credentials(matter: string): KafkaError {
  return new KafkaError('KAFKA_CREDENTIALS', 'fatal', DOING, matter);
}
