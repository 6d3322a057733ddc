import { extname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SluiceError } from '../api/index.ts';
import { readableState, type ReadableThreadData } from './readable-state.ts';
import { placeSocket, type PlacedSocket, type UnixSocketOptions } from './unix-socket.ts';
import { unixSystemCalls, type UnixSystemCalls } from './unix-system-calls.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
const EINTR = 4;
/** `sun_family` before the path, and the NUL behind it. */
const ADDRESS_OVERHEAD_BYTES = 3;
/** What the kernel holds while we are busy; it takes what it allows (net.core.rmem_max). */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

/**
 * A Unix socket for datagrams, as `/dev/log` is one. A sender waits while the kernel holds as many as it may, so that what is not read holds senders back: nothing is
 * lost. Linux only.
 */
export class UnixDatagramSocket {
  readonly #calls: UnixSystemCalls;
  readonly #descriptor: number;
  readonly #placed: PlacedSocket;
  readonly #bytes: Buffer;
  readonly #state: Int32Array;
  readonly #thread: Worker;
  #onReadable: (() => void) | null = null;

  /** `maxBytes`: what is longer is cut there. Rejects with `LISTENER_IN_USE` or `OPTION_INVALID`. */
  static async open(options: UnixSocketOptions, maxBytes: number): Promise<UnixDatagramSocket> {
    const calls = loadCalls(options.path);
    const descriptor = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) throw failed(calls, options.path);
    try {
      const size = Buffer.alloc(4);
      size.writeInt32LE(RECEIVE_BUFFER_BYTES);
      calls.setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, size, size.length);
      const placed = await placeSocket(options, (place) => {
        const address = addressOf(place);
        if (calls.bind(descriptor, address, address.length) < 0) throw failed(calls, options.path);
      });
      return new UnixDatagramSocket({ calls, descriptor, placed, maxBytes });
    } catch (error) {
      calls.close(descriptor);
      throw error;
    }
  }

  private constructor({
    calls,
    descriptor,
    placed,
    maxBytes,
  }: {
    readonly calls: UnixSystemCalls;
    readonly descriptor: number;
    readonly placed: PlacedSocket;
    readonly maxBytes: number;
  }) {
    this.#calls = calls;
    this.#descriptor = descriptor;
    this.#placed = placed;
    this.#bytes = Buffer.alloc(maxBytes);
    this.#state = new Int32Array(new SharedArrayBuffer(4));
    const workerData: ReadableThreadData = { descriptor, state: this.#state };
    const url = new URL(`./readable-thread${extname(import.meta.url)}`, import.meta.url);
    this.#thread = new Worker(url, { name: 'unix-datagrams', workerData });
    this.#thread.on('message', () => {
      this.#onReadable?.();
    });
  }

  /** The next datagram; null when none waits. Valid until the next call. */
  receive(): Buffer | null {
    const length = this.#calls.recv(this.#descriptor, this.#bytes, this.#bytes.length, MSG_DONTWAIT);
    if (length >= 0) return this.#bytes.subarray(0, length);
    const code = this.#calls.lastError();
    if (code === EAGAIN || code === EINTR) return null;
    throw new SluiceError('SOURCE_FAILED', `receiving a datagram: ${getSystemErrorName(-code)}`, { retryable: true });
  }

  /** Resolves when a datagram waits, or the signal aborts. Rejects when the thread that looks has ended. */
  async readable(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#thread.removeListener('error', reject);
        resolve();
      };
      this.#onReadable = done;
      signal.addEventListener('abort', done);
      this.#thread.once('error', reject);
      this.#order(readableState.watching);
    });
  }

  /** Nobody finds it any more; what was sent before can still be received. */
  unlink(): Promise<void> {
    return this.#placed.remove();
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#thread.once('exit', resolve));
    this.#order(readableState.stopped);
    await ended;
    this.#calls.close(this.#descriptor);
  }

  #order(state: number): void {
    Atomics.store(this.#state, 0, state);
    Atomics.notify(this.#state, 0);
  }
}

function loadCalls(place: string): UnixSystemCalls {
  const action = `listening on the Unix socket ${place} for datagrams`;
  if (process.platform !== 'linux')
    throw new SluiceError('OPTION_INVALID', `${action}: this takes Linux; use \`kind: stream\``);
  try {
    return unixSystemCalls();
  } catch (error) {
    const remedy = 'the optional package "koffi" is not installed or has no build for this platform';
    throw new SluiceError('OPTION_INVALID', `${action}: ${remedy}; run: npm install koffi`, { cause: error });
  }
}

/** `struct sockaddr_un`. */
function addressOf(place: string): Buffer {
  const path = Buffer.from(place);
  const address = Buffer.alloc(path.length + ADDRESS_OVERHEAD_BYTES);
  address.writeUInt16LE(AF_UNIX);
  path.copy(address, 2);
  return address;
}

function failed(calls: UnixSystemCalls, place: string): Error {
  const code = getSystemErrorName(-calls.lastError());
  return Object.assign(new Error(`${code}: ${place}`), { code });
}
