import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from './free-ports.ts';
import { Gate, ProxiedConnection, type LossPlan, type Travel } from './proxied-connection.ts';

export interface LostReply {
  /** Which of the exchanges that `request` chooses, counted from now over all connections. Default 1. */
  readonly nth?: number;
  /** Sees the first bytes of each exchange, which may be less than the whole request. Default: any. */
  readonly request?: (bytes: Buffer) => boolean;
}

/**
 * A TCP proxy on 127.0.0.1 in front of one server, with faults on demand and none at the start. Its port stays the same for its life.
 * A Kafka client leaves it for the address that the broker advertises: let that be the proxy's.
 */
export class FaultProxy {
  readonly port: number;
  /** Where connections lead that are accepted from now on. */
  targetPort: number;
  readonly #targetHost: string;
  #server: Server | null = null;
  #travel: Travel = {};
  #accepted = 0;
  readonly #gate = new Gate();
  readonly #connections = new Set<ProxiedConnection>();
  readonly #losses = new Set<LossPlan & { left: number }>();

  private constructor(port: number, targetPort: number, targetHost: string) {
    this.port = port;
    this.targetPort = targetPort;
    this.#targetHost = targetHost;
  }

  static async start(targetPort: number, targetHost = '127.0.0.1'): Promise<FaultProxy> {
    const [port] = (await freePorts(1)) as [number];
    const proxy = new FaultProxy(port, targetPort, targetHost);
    await proxy.accept();
    return proxy;
  }

  /** `127.0.0.1:PORT` */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Connections since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Resets every open connection on both sides. New ones are welcome. */
  cut(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** New connections are refused by the kernel. Open ones stay. */
  refuse(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** Ends `refuse`. */
  async accept(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#proxy(client);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
    this.#server = server;
  }

  /** No byte goes on, either way, until `release`. Connections stay open, and new ones are accepted. */
  hold(): void {
    this.#gate.close();
  }

  release(): void {
    this.#gate.open();
  }

  /** Replaces how bytes travel from now on; `{}`: as they come. */
  travel(travel: Travel): void {
    this.#travel = travel;
  }

  /**
   * Lets the server do what a request asks, drops its answer and resets the connection. An exchange begins with what a client says after
   * the server spoke. Resolves when the answer is lost.
   */
  loseReply({ nth = 1, request = () => true }: LostReply = {}): Promise<void> {
    return new Promise((resolve) => {
      this.#losses.add({ left: nth, matches: request, lost: resolve });
    });
  }

  /** Ends it and all its connections. */
  close(): void {
    this.refuse();
    this.cut();
  }

  #proxy(client: Socket): void {
    this.#accepted++;
    const server = connect({ port: this.targetPort, host: this.#targetHost, noDelay: true, allowHalfOpen: true });
    const connection = new ProxiedConnection(client, server, {
      gate: this.#gate,
      travel: () => this.#travel,
      planFor: (request) => this.#planFor(request),
    });
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
  }

  /** Null: the reply to this request may pass. */
  #planFor(request: Buffer): LossPlan | null {
    for (const plan of this.#losses) {
      if (!plan.matches(request) || --plan.left > 0) continue;
      this.#losses.delete(plan);
      return plan;
    }
    return null;
  }
}
