import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type * as Undici from 'undici';
import { SluiceError } from '../api/index.ts';
import type { AddressGuard } from './address-guard.ts';
import type { Proxy } from './client-proxy.ts';
import { pinFault } from './pin-fault.ts';
import type { PinnedTls } from './pinned-tls.ts';

type Connector = Undici.buildConnector.connector;

export interface ConnectorSettings {
  readonly undici: typeof Undici;
  readonly guard: AddressGuard;
  readonly tls: PinnedTls | null;
  readonly timeoutMs: number;
}

/** Makes the connections of a pool: to addresses that are permitted, and to the server whose certificate is trusted. */
export function createConnector({ undici, guard, tls, timeoutMs }: ConnectorSettings): Connector {
  const connect = undici.buildConnector({
    ...(tls?.connection as Undici.buildConnector.BuildOptions | undefined),
    lookup: guard.lookup,
    allowH2: false,
    timeout: timeoutMs,
    // A resumed session would not have to show its certificate.
    ...(tls?.fingerprint == null ? {} : { maxCachedSessions: 0 }),
  });
  return (options, callback) => {
    try {
      // Of a proxy: those of endpoints were checked before.
      guard.checkLiteral(options.hostname);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    connect(options, (...[error, socket]) => {
      const fault = error === null && tls !== null ? faultOf(socket, tls, options.hostname) : null;
      if (fault === null) {
        if (error === null) callback(null, socket);
        else callback(error, null);
        return;
      }
      socket?.destroy();
      callback(new SluiceError('SINK_BLOCKED', `TLS: ${fault}`), null);
    });
  };
}

function faultOf(socket: Socket, { fingerprint, connection }: PinnedTls, hostname: string): string | null {
  if (fingerprint === null || !(socket instanceof TLSSocket)) return null;
  return pinFault(socket, { fingerprint, serverName: connection.servername ?? hostname.replace(/^\[(.*)\]$/, '$1') });
}

/** An answer of a proxy that is no tunnel. */
export class ProxyRefused extends Error {
  override readonly name = 'ProxyRefused';
  readonly status: number;

  constructor(status: number) {
    super(`the proxy answers ${status}`);
    this.status = status;
  }
}

/** Connections through a proxy that makes tunnels (`CONNECT`): for `https:`, whose traffic no proxy can read. */
export function createTunnels(proxy: Proxy, proxyClient: Undici.Client, through: Connector): Connector {
  const open = async (options: Undici.buildConnector.Options): Promise<Socket> => {
    const target = `${options.hostname}:${options.port === '' ? '443' : options.port}`;
    const headers = {
      host: target,
      ...(proxy.authorization === null ? {} : { 'proxy-authorization': proxy.authorization }),
    };
    const { statusCode, socket } = await proxyClient.connect({ path: target, headers });
    if (statusCode === 200 && socket instanceof Socket) return socket;
    socket.on('error', () => undefined).destroy();
    throw new ProxyRefused(statusCode);
  };
  return (options, callback) => {
    void open(options).then(
      (httpSocket) => {
        through({ ...options, httpSocket }, callback);
      },
      (error: unknown) => {
        callback(error as Error, null);
      },
    );
  };
}
