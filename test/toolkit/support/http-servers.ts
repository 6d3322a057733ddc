import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';

export interface TestServer {
  readonly port: number;
  readonly requests: IncomingMessage[];
  /** Connections that were made. */
  readonly connections: () => number;
  stop(): Promise<void>;
}

/** Answers as a test says. */
export async function httpServer(answer: RequestListener, tls?: TlsOptions): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    answer(request, response);
  };
  return started(tls === undefined ? createServer(listener) : createTlsServer(tls, listener), requests);
}

/** Forwards requests, and makes tunnels. `refuses`: 407 for whoever does not send it. */
export async function httpProxy(authorization?: string): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const refuses = (request: IncomingMessage): boolean =>
    authorization !== undefined && request.headers['proxy-authorization'] !== authorization;
  const server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(refuses(request) ? 407 : 200).end(`forwarded ${request.url}`);
  });
  server.on('connect', (request, socket) => {
    requests.push(request);
    if (refuses(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host, port] = request.url!.split(':') as [string, string];
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  return started(server, requests);
}

async function started(server: Server, requests: IncomingMessage[]): Promise<TestServer> {
  let connections = 0;
  server.on('connection', () => connections++);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => connections,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
