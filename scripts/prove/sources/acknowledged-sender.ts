import { encode } from '@msgpack/msgpack';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a protocol says that records are safe. */
export interface AcknowledgedProtocol {
  /** The bytes of a batch that begins with this number. `sent`: how many records went before over the same connection. */
  request(first: number, count: number): Buffer;
  /** Is this its acknowledgement, whole? `records`: how many went over the connection with it. */
  isAnswered(received: Buffer, first: number, records: number): boolean;
}

/** Chunks with an id: what is sent again is kept out. */
export const forwardProtocol: AcknowledgedProtocol = {
  request: (first, count) => {
    // Kafka's retention goes by these times: what is older than it would be deleted while the proof runs.
    const now = Math.floor(Date.now() / 1000);
    const entries = Array.from({ length: count }, (_each, at) => [now, { n: first + at }]);
    return Buffer.from(encode(['proof', entries, { chunk: `chunk-${first}` }]));
  },
  isAnswered: (received, first) => received.includes(`chunk-${first}`),
};

/** Lines that are acknowledged by their number on the connection. */
export const lineProtocol: AcknowledgedProtocol = {
  request: (first, count) =>
    Buffer.from(Array.from({ length: count }, (_each, at) => `{"n":${first + at}}\n`).join('')),
  isAnswered: (received, _first, records) => received.toString('latin1').endsWith(`ack ${records}\n`),
};

const BATCH = 20;
const ANSWER_MS = 30_000;
const BACK_MS = 50;

/** One client: sends batch after batch, and each again over a new connection until it is acknowledged. */
export class AcknowledgedSender {
  acknowledged = 0;
  repeated = 0;
  readonly #protocol: AcknowledgedProtocol;
  readonly #port: number;

  constructor(protocol: AcknowledgedProtocol, port: number) {
    this.#protocol = protocol;
    this.#port = port;
  }

  /** `allowed` says how many may be sent by now. */
  async send(first: number, count: number, allowed: () => number): Promise<void> {
    let connection: Connection | null = null;
    while (this.acknowledged < count) {
      if (this.acknowledged >= allowed()) {
        await sleep(2);
        continue;
      }
      const from = first + this.acknowledged;
      const size = Math.min(BATCH, count - this.acknowledged);
      connection ??= await Connection.open(this.#port);
      if (connection !== null && (await connection.ask(this.#protocol, from, size))) this.acknowledged += size;
      else {
        if (connection !== null) this.repeated++;
        connection?.close();
        connection = null;
        await sleep(BACK_MS);
      }
    }
    connection?.close();
  }
}

class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #records = 0;

  /** Null when nobody listens. */
  static open(port: number): Promise<Connection | null> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {
        resolve(null);
      });
      socket.once('connect', () => {
        resolve(new Connection(socket));
      });
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** False when the connection ended, or nothing came for long. */
  ask(protocol: AcknowledgedProtocol, first: number, count: number): Promise<boolean> {
    this.#received = Buffer.alloc(0);
    this.#records += count;
    return new Promise((resolve) => {
      const settle = (isAnswered: boolean): void => {
        clearTimeout(timer);
        this.#socket.removeAllListeners('data').removeAllListeners('close');
        resolve(isAnswered);
      };
      const timer = setTimeout(() => {
        settle(false);
      }, ANSWER_MS);
      this.#socket.once('close', () => {
        settle(false);
      });
      this.#socket.on('data', (bytes: Buffer) => {
        this.#received = Buffer.concat([this.#received, bytes]);
        if (protocol.isAnswered(this.#received, first, this.#records)) settle(true);
      });
      if (this.#socket.destroyed) settle(false);
      else this.#socket.write(protocol.request(first, count));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
