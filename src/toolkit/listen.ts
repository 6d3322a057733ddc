import type { Server } from 'node:net';
import { SluiceError, type ListenAddress } from '../api/index.ts';

/** Binds the server and resolves with the address it got, which names the port that port 0 became. Throws `LISTENER_IN_USE` or `OPTION_INVALID`. */
export function bind(server: Server, address: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(bindError(error, address));
    };
    server.once('error', onError);
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.removeListener('error', onError);
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
      resolve({ host: address.host, port });
    });
  });
}

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function formatAddress(address: ListenAddress): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/**
 * For `resources` of a listener: nothing for port 0, which takes any free one that nobody else has. Before a pipeline runs an address may still be text.
 */
export function listenResource(listen: ListenAddress | string, transport: 'tcp' | 'udp' = 'tcp'): readonly string[] {
  const text = typeof listen === 'string' ? listen : formatAddress(listen);
  if (text.endsWith(':0')) return [];
  const address = text.startsWith(':') ? `127.0.0.1${text}` : text;
  return [`${transport === 'udp' ? 'listen udp' : 'listen'} ${address}`];
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127\./.test(host);
}

function bindError(error: NodeJS.ErrnoException, address: ListenAddress): SluiceError {
  const action = `listening on ${formatAddress(address)}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new SluiceError(
        'LISTENER_IN_USE',
        `${action}: another program has this address; stop it or change \`listen\``,
        {
          retryable: true,
          cause: error,
        },
      );
    case 'EACCES':
      return new SluiceError('OPTION_INVALID', `${action}: this user may not take the port; change \`listen\``, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new SluiceError(
        'OPTION_INVALID',
        `${action}: this machine does not have that address; change \`listen\``,
        {
          cause: error,
        },
      );
    default:
      return new SluiceError('SOURCE_FAILED', action, { retryable: true, cause: error });
  }
}
