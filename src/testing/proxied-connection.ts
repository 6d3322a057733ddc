import { EventEmitter, once, setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** How bytes travel, in both directions. Nothing set: as they come. */
export interface Travel {
  /** Each piece waits so long before it goes on. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
  /** The largest piece that goes on at once, in a packet of its own: 1 splits every length and every character. */
  readonly pieceBytes?: number;
}

/** A reply that is to be lost. */
export interface LossPlan {
  readonly matches: (request: Buffer) => boolean;
  readonly lost: () => void;
}

export interface ProxyRules {
  readonly gate: Gate;
  travel(): Travel;
  /** Called once for each exchange. */
  planFor(request: Buffer): LossPlan | null;
}

/** So long at the most does a slow connection stand still before its next piece. */
const longestPauseMs = 50;

/** A client's connection and the one to the server behind it. */
export class ProxiedConnection {
  readonly ended: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #rules: ProxyRules;
  readonly #reset = new AbortController();
  #isServersTurn = false;
  #plan: LossPlan | null = null;

  constructor(client: Socket, server: Socket, rules: ProxyRules) {
    this.#client = client;
    this.#server = server;
    this.#rules = rules;
    for (const socket of [client, server]) {
      socket.on('error', () => {
        this.reset();
      });
    }
    const directions = [
      this.#carry(client, server, (bytes) => this.#asked(bytes)),
      this.#carry(server, client, () => this.#answered()),
    ];
    this.ended = Promise.all(directions).then(
      () => undefined,
      () => {
        this.reset();
      },
    );
  }

  reset(): void {
    this.#reset.abort();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** One direction, to its end. */
  async #carry(from: Socket, to: Socket, mayPass: (bytes: Buffer) => boolean): Promise<void> {
    // Whoever has said all may still listen: the end of one direction must not destroy the other.
    const pieces = from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const bytes of pieces) if (mayPass(bytes)) await this.#send(to, bytes);
    await this.#rules.gate.passed(this.#reset.signal);
    to.end();
  }

  async #send(to: Socket, bytes: Buffer): Promise<void> {
    const { signal } = this.#reset;
    let at = 0;
    while (at < bytes.length) {
      await this.#rules.gate.passed(signal);
      const { delayMs = 0, bytesPerSecond = Infinity, pieceBytes = Infinity } = this.#rules.travel();
      const share = Math.max(1, Math.floor((bytesPerSecond * longestPauseMs) / 1000));
      const piece = bytes.subarray(at, at + Math.min(bytes.length, pieceBytes, share));
      const pauseMs = delayMs + (piece.length / bytesPerSecond) * 1000;
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
      await written(to, piece);
      // Pieces that are written in one turn of the event loop would be read as one.
      if (piece.length < bytes.length) await setImmediate();
      at += piece.length;
    }
  }

  #asked(bytes: Buffer): boolean {
    if (!this.#isServersTurn) this.#plan = this.#rules.planFor(bytes);
    this.#isServersTurn = true;
    return true;
  }

  #answered(): boolean {
    this.#isServersTurn = false;
    if (this.#plan === null) return true;
    this.reset();
    this.#plan.lost();
    return false;
  }
}

/** What all bytes of a proxy pass: open, unless it was closed. */
export class Gate {
  #isOpen = true;
  readonly #opening = new EventEmitter();

  constructor() {
    // As many as there are connections.
    setMaxListeners(0, this.#opening);
  }

  open(): void {
    this.#isOpen = true;
    this.#opening.emit('open');
  }

  close(): void {
    this.#isOpen = false;
  }

  async passed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (!this.#isOpen) await once(this.#opening, 'open', { signal });
  }
}

function written(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
