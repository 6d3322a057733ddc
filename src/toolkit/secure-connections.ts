import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describeError, type Logger } from '../api/index.ts';
import { ClientCertificates } from './client-certificates.ts';
import type { Connection, ConnectionTable } from './connections.ts';
import type { ListenerMeter } from './listener-meter.ts';
import type { TlsOptions } from './tls.ts';

/** Hands over the connections of a TLS server whose handshake is through and whose certificate will do. They were admitted before. */
export function serveSecured(
  server: Server,
  { tls, table, meter, log }: { tls: TlsOptions; table: ConnectionTable; meter: ListenerMeter; log: Logger },
  begin: (socket: Socket, connection: Connection) => void,
): void {
  const certificates = new ClientCertificates(tls);
  server.on('secureConnection', (socket: TLSSocket) => {
    // TLS wraps the socket that was admitted in another one.
    const connection = table.named(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`);
    if (connection === undefined) socket.destroy();
    else if (certificates.admit(socket)) {
      connection.traffic = socket;
      begin(socket, connection);
    } else {
      meter.turnedAway('client');
      log.debug({ client: connection.name }, 'Certificate of a client is not on the list');
      socket.destroy();
    }
  });
  server.on('tlsClientError', (error: Error, socket: Socket) => {
    meter.turnedAway('tls');
    log.debug({ client: socket.remoteAddress ?? 'unknown', error: describeError(error) }, 'TLS handshake failed');
  });
}
