import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KafkaSettings } from '../../../src/kafka/index.ts';

type Sasl = NonNullable<KafkaSettings['sasl']>;

/** As the broker takes them without a key: any name, as long as it has not expired. */
export function unsecuredToken(subject: string, lifetimeS: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now - 60, exp: now + lifetimeS })}.`;
}

/** Gives out tokens for alice, and counts them. */
export class TokenEndpoint {
  lifetimeS = 600;
  asked = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.asked++;
      const { lifetimeS } = this;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: unsecuredToken('alice', lifetimeS), expires_in: lifetimeS }));
    });
  }

  static async start(): Promise<TokenEndpoint> {
    const endpoint = new TokenEndpoint();
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  get sasl(): Sasl {
    const { port } = this.#server.address() as AddressInfo;
    const oauth = { token_endpoint: `http://127.0.0.1:${port}/`, client_id: 'x', client_secret: 'its-secret' };
    return { mechanism: 'oauthbearer', oauth, insecure_without_tls: true };
  }

  close(): void {
    this.#server.close();
  }
}
