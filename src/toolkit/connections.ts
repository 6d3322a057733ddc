import type { Socket } from 'node:net';
import type { Clock } from '../api/index.ts';
import type { Networks } from './client-address.ts';
import { isLoopback } from './listen.ts';
import type { TurnedAway } from './listener-meter.ts';

/** What stands for the address of a client that came over a Unix socket: it has none. */
export const UNIX_CLIENT = 'unix';

/** One client's connection, from accept to close. */
export class Connection {
  /** `10.0.0.7:51234`, `unix:17` */
  readonly name: string;
  readonly address: string;
  readonly socket: Socket;
  /** Whose `bytesRead` counts: over TLS what wraps `socket`. */
  traffic: Socket;
  /** Messages that were begun and not answered. */
  begun = 0;
  /** Messages that were answered. */
  served = 0;
  /** Since when nothing was begun (monotonic). */
  idleSinceMs: number;
  /** The message that is on its way in. */
  receiving: { readonly lastByteAtMs: number } | null = null;

  /** `unixNumber`: tells those over a Unix socket apart. */
  constructor(socket: Socket, nowMs: number, unixNumber?: number) {
    this.socket = this.traffic = socket;
    this.idleSinceMs = nowMs;
    this.address = unixNumber === undefined ? (socket.remoteAddress ?? '') : UNIX_CLIENT;
    this.name = `${this.address}:${unixNumber ?? socket.remotePort ?? 0}`;
  }

  /** Since when the client has owed us a byte; null while we owe it an answer. */
  get waitingSinceMs(): number | null {
    return this.begun === 0 ? this.idleSinceMs : (this.receiving?.lastByteAtMs ?? null);
  }
}

export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Loopback is not counted: a proxy or an agent on this machine stands for many clients. */
  readonly maxConnectionsPerAddress: number;
  /** Where connections may come from; unset: from everywhere, and over Unix sockets. */
  readonly allowed?: Networks;
}

/**
 * The connections of a listener. When all places are taken, a newcomer gets the place of the connection that has kept us waiting longest:
 * otherwise a few clients that open connections and say nothing would shut out everybody else.
 */
export class ConnectionTable {
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #connections = new Map<string, Connection>();
  readonly #perAddress = new Map<string, number>();
  #onEmpty: (() => void) | null = null;
  #foreign = 0;
  #noRoom = 0;
  #evicted = 0;
  #closedBytes = 0;
  /** So far. */
  accepted = 0;

  constructor(limits: ConnectionLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** From all clients, so far. */
  get receivedBytes(): number {
    let bytes = this.#closedBytes;
    for (const { traffic } of this.#connections.values()) bytes += traffic.bytesRead;
    return bytes;
  }

  /** Since it was asked last. */
  takeTurnedAway(): readonly (readonly [reason: TurnedAway, count: number])[] {
    const taken = [
      ['address', this.#foreign],
      ['no_room', this.#noRoom],
      ['evicted', this.#evicted],
    ] as const;
    this.#foreign = this.#noRoom = this.#evicted = 0;
    return taken.filter(([, count]) => count > 0);
  }

  named(name: string): Connection | undefined {
    return this.#connections.get(name);
  }

  /** Null when there is no place for it: the socket is closed then. */
  admit(socket: Socket, unixNumber?: number): Connection | null {
    const connection = new Connection(socket, this.#clock.monotonic(), unixNumber);
    if (unixNumber === undefined && this.#limits.allowed?.has(connection.address) === false) {
      this.#foreign++;
      socket.destroy();
      return null;
    }
    if (connection.address === '' || !this.#makeRoom(connection.address)) {
      this.#noRoom++;
      socket.destroy();
      return null;
    }
    this.accepted++;
    this.#connections.set(connection.name, connection);
    this.#perAddress.set(connection.address, this.#countOf(connection.address) + 1);
    socket.once('close', () => {
      this.#forget(connection);
    });
    return connection;
  }

  /** Ends the connections on which no message was begun. */
  closeIdle(): void {
    for (const connection of this.#connections.values()) {
      if (connection.begun === 0) connection.socket.destroySoon();
    }
  }

  destroyAll(): void {
    for (const connection of this.#connections.values()) connection.socket.destroy();
  }

  whenEmpty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #makeRoom(address: string): boolean {
    const isCounted = address !== UNIX_CLIENT && !isLoopback(address);
    if (isCounted && this.#countOf(address) >= this.#limits.maxConnectionsPerAddress) return this.#evict(address);
    return this.#connections.size < this.#limits.maxConnections || this.#evict(null);
  }

  /** Of this address, or of any. Those that were never served a message go first. */
  #evict(address: string | null): boolean {
    let victim: Connection | null = null;
    for (const connection of this.#connections.values()) {
      const isOurTurn = connection.waitingSinceMs === null;
      if (isOurTurn || (address !== null && connection.address !== address)) continue;
      if (victim === null || isWorse(connection, victim)) victim = connection;
    }
    if (victim === null) return false;
    this.#evicted++;
    this.#forget(victim);
    victim.socket.destroy();
    return true;
  }

  #forget(connection: Connection): void {
    if (this.#connections.get(connection.name) !== connection) return;
    this.#connections.delete(connection.name);
    this.#closedBytes += connection.traffic.bytesRead;
    const left = this.#countOf(connection.address) - 1;
    if (left === 0) this.#perAddress.delete(connection.address);
    else this.#perAddress.set(connection.address, left);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #countOf(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }
}

function isWorse(connection: Connection, other: Connection): boolean {
  if ((connection.served === 0) !== (other.served === 0)) return connection.served === 0;
  return (connection.waitingSinceMs ?? Infinity) < (other.waitingSinceMs ?? Infinity);
}
