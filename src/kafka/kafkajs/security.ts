import type { ConnectionOptions } from 'node:tls';
import type { KafkajsSasl, KafkajsSaslExchange } from 'kafkajs/src/network/connection.js';
import type { Clock } from '../../api/index.ts';
import { loadTls } from '../client-tls.ts';
import { OAuthTokens } from '../oauth-token.ts';
import type { KafkaSettings } from '../options.ts';
import { addressOf } from '../common/address.ts';
import { bearer } from '../common/bearer.ts';

/** What each connection is made with. Files and tokens are taken anew, for they are renewed. */
export class Security {
  readonly #settings: KafkaSettings;
  readonly #tokens: OAuthTokens | null;

  constructor(settings: KafkaSettings, { clock, closed }: { clock: Clock; closed: AbortSignal }) {
    this.#settings = settings;
    this.#tokens = settings.sasl === undefined ? null : new OAuthTokens(settings.sasl, clock, closed);
  }

  async credentials(): Promise<{ readonly tls: ConnectionOptions | null; readonly sasl: KafkajsSasl | null }> {
    return { tls: await loadTls(this.#settings.tls), sasl: this.#saslOf() };
  }

  #saslOf(): KafkajsSasl | null {
    const { sasl } = this.#settings;
    if (sasl === undefined) return null;
    const { mechanism, username = '', password = '' } = sasl;
    if (mechanism !== 'oauthbearer') return { mechanism, username, password };
    // That of kafkajs takes a refused token for an accepted one.
    const authenticationProvider: KafkajsSasl['authenticationProvider'] = ({ host, port, saslAuthenticate }) => ({
      authenticate: async () => {
        const send = (message: Buffer): Promise<Buffer> => saslAuthenticate(inBytes(message));
        await bearer((await this.#tokens?.get()) ?? '', { sasl, broker: addressOf({ host, port }), send });
      },
    });
    return { mechanism, authenticationProvider };
  }
}

const LENGTH_BYTES = 4;

/** As messages of mechanisms go through kafkajs: behind their length. */
function inBytes(message: Buffer): KafkajsSaslExchange {
  const framed = Buffer.alloc(LENGTH_BYTES + message.length);
  framed.writeInt32BE(message.length);
  message.copy(framed, LENGTH_BYTES);
  return {
    request: { encode: () => Promise.resolve(framed) },
    response: {
      decode: (bytes) => Promise.resolve(bytes.subarray(LENGTH_BYTES)),
      parse: (answer) => Promise.resolve(answer),
    },
  };
}
