import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

/**
 * For a client that cannot ask for it itself: takes a server when one certificate of its chain has the fingerprint, whoever signed it. Nothing is sent before that is
 * known.
 */
export class FingerprintAgent extends Agent {
  readonly #fingerprint: string;

  constructor(fingerprint: string, options: AgentOptions) {
    super(options);
    this.#fingerprint = fingerprint;
  }

  override createConnection(
    options: ConnectionOptions,
    taken: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const socket: TLSSocket = connect({ ...options, rejectUnauthorized: false });
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.removeListener('error', fail);
      if (hasFingerprint(socket.getPeerCertificate(true), this.#fingerprint)) taken(null, socket);
      else {
        socket.destroy();
        fail(new Error('the server shows no certificate with this fingerprint'));
      }
    });
    function fail(error: Error): void {
      taken(error, socket);
    }
    return undefined;
  }
}

function hasFingerprint(certificate: DetailedPeerCertificate, fingerprint: string): boolean {
  for (let one = certificate; ; one = one.issuerCertificate) {
    if (one.fingerprint256 === fingerprint) return true;
    // The last one is its own issuer, or has none.
    if ((one.issuerCertificate as unknown) === undefined || one.issuerCertificate === one) return false;
  }
}
