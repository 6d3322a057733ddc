import { kafka, ResponseError } from './package.ts';
import { bearer } from '../common/bearer.ts';
import { mechanisms, refusedCredentials, type Sasl } from '../common/credentials.ts';
import type { OAuthTokens } from '../oauth-token.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { scram } from './scram.ts';

const handshakeApis = [kafka.saslHandshakeV1.api];
const authenticateApis = [kafka.saslAuthenticateV2.api, kafka.saslAuthenticateV1.api, kafka.saslAuthenticateV0.api];

/**
 * Authenticates a connection that nothing else was asked on but what the broker speaks. Resolves with how long the broker accepts requests from then on, in
 * milliseconds; null: without end. Connections are made anew by then: the broker does not allow to authenticate again amid other requests.
 */
export async function authenticate(broker: BrokerConnection, sasl: Sasl, tokens: OAuthTokens): Promise<number | null> {
  const { mechanism, username = '', password = '' } = sasl;
  const { address } = broker;
  await broker.ask(handshakeApis, mechanisms[mechanism]);
  let lifetimeMs = 0n;
  const send = async (message: Buffer): Promise<Buffer> => {
    try {
      const answer = await broker.ask(authenticateApis, message);
      lifetimeMs = 'sessionLifetimeMs' in answer ? answer.sessionLifetimeMs : 0n;
      return answer.authBytes;
    } catch (error) {
      throw error instanceof ResponseError ? refusedCredentials(sasl, address) : error;
    }
  };
  if (mechanism === 'plain') await send(Buffer.from(`\0${username}\0${password}`));
  else if (mechanism === 'oauthbearer') await bearer(await tokens.get(), { sasl, broker: address, send });
  else {
    const hash = mechanism === 'scram-sha-256' ? 'sha256' : 'sha512';
    await scram({ hash, username, password, send, broker: address });
  }
  return lifetimeMs > 0n ? Number(lifetimeMs) : null;
}
