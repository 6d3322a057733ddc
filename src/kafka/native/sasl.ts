import { ResponseError, type SASLOptions } from '@platformatic/kafka';
import type { OAuthTokens } from '../oauth-token.ts';
import { bearer } from '../common/bearer.ts';
import { mechanisms, refusedCredentials, type Sasl } from '../common/credentials.ts';
import { scram } from './scram.ts';

type Authenticate = Parameters<NonNullable<SASLOptions['authenticate']>>[2];
type Answer = Awaited<ReturnType<Authenticate['async']>>;
type Connection = Parameters<Authenticate['async']>[0];

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
  else if (mechanism === 'oauthbearer') await bearer(await tokens.get(), { sasl, broker, send });
  else await scram({ hash: mechanism === 'scram-sha-256' ? 'sha256' : 'sha512', username, password, send, broker });
  return last!;
}

function refused(error: unknown, sasl: Sasl, broker: string): unknown {
  return error instanceof ResponseError ? refusedCredentials(sasl, broker) : error;
}
