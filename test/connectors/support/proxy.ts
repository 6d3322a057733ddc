import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer, type TlsOptions } from 'node:tls';

/** Stands between a sink and a server, and passes bytes on; or not, when a test says so. */
export class Proxy {
  readonly url: string;
  /** So many answers are taken from the server and never passed on: their connections end instead. */
  swallows = 0;
  swallowed = 0;
  /** While it is not, connections end at once. */
  isOpen = true;
  /** Passed on instead of the next answers of the server, which has done what it was asked. */
  lies: string[] = [];
  /** Connections so far. */
  connections = 0;
  #asked: { readonly path: string; readonly lie: string } | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.url = `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
  }

  /** With `tls` it speaks TLS to its clients, and plain text to the server. */
  static async start(target: string, tls?: TlsOptions): Promise<Proxy> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const proxy = new Proxy(await listening(server), tls === undefined ? 'http' : 'https');
    const { hostname, port } = new URL(target);
    server.on(tls === undefined ? 'connection' : 'secureConnection', (client: Socket) => {
      proxy.connections++;
      if (!proxy.isOpen) {
        client.destroy();
        return;
      }
      proxy.#join(client, connect(Number(port), hostname));
    });
    return proxy;
  }

  /** From now on with this certificate. */
  serve(tls: TlsOptions): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(tls);
  }

  /** As `lies`, for the next request with this in its first line. */
  lieTo(path: string, lie: string): void {
    this.#asked = { path, lie };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, upstream: Socket): void {
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    let ownLie: string | null = null;
    client.on('data', (bytes: Buffer) => {
      if (this.#asked !== null && bytes.toString('latin1').split('\r\n', 1)[0]!.includes(this.#asked.path)) {
        ownLie = this.#asked.lie;
        this.#asked = null;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      const lie = ownLie ?? this.lies.shift();
      ownLie = null;
      if (lie !== undefined) client.end(lie);
      else if (this.swallowed < this.swallows) {
        this.swallowed++;
        client.destroy();
      } else client.write(bytes);
    });
  }
}

async function listening(server: Server): Promise<Server> {
  await once(server.listen(0), 'listening');
  return server;
}
