import type { ConnectionOptions } from 'node:tls';
import type { KafkajsSasl } from 'kafkajs/src/network/connection.js';
import type { Clock } from '../../api/index.ts';
import { loadTls } from '../client-tls.ts';
import { OAuthTokens } from '../oauth-token.ts';
import type { KafkaSettings } from '../options.ts';

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
    const oauthBearerProvider = async (): Promise<{ value: string }> => ({ value: (await this.#tokens?.get()) ?? '' });
    return { mechanism, oauthBearerProvider };
  }
}
