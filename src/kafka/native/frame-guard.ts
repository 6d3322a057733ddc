import type { Socket } from 'node:net';

/** More than any answer that this client asks for. */
const MAXIMUM_FRAME_BYTES = 128 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** What a peer's bytes show it to be, if not a Kafka broker: `tls` that was not asked for, `http`, or `alien`. */
export type Finding = 'tls' | 'http' | 'alien';

/**
 * Watches the lengths of the frames that come over a socket, and ends it at the first that no broker would send: the package would gather whatever length a
 * peer announces in memory.
 */
export class FrameGuard {
  finding: Finding | null = null;
  readonly #socket: Socket;
  readonly #expectsTls: boolean;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthBytes = 0;
  #bodyBytes = 0;
  #isFirst = true;

  constructor(socket: Socket, expectsTls: boolean) {
    this.#socket = socket;
    this.#expectsTls = expectsTls;
    socket.on('data', (chunk: Buffer) => {
      if (this.finding === null) this.#look(chunk);
    });
  }

  #look(chunk: Buffer): void {
    if (this.#isFirst && !this.#expectsTls && isTlsRecord(chunk)) {
      this.#end('tls');
      return;
    }
    this.#isFirst = false;
    for (let at = 0; at < chunk.length;) {
      if (this.#bodyBytes > 0) {
        const taken = Math.min(this.#bodyBytes, chunk.length - at);
        this.#bodyBytes -= taken;
        at += taken;
        continue;
      }
      this.#length[this.#lengthBytes++] = chunk[at++]!;
      if (this.#lengthBytes < LENGTH_BYTES) continue;
      this.#lengthBytes = 0;
      this.#bodyBytes = this.#length.readInt32BE();
      if (this.#bodyBytes < LENGTH_BYTES || this.#bodyBytes > MAXIMUM_FRAME_BYTES) {
        this.#end(this.#length.toString('latin1') === 'HTTP' ? 'http' : 'alien');
        return;
      }
    }
  }

  #end(finding: Finding): void {
    this.finding = finding;
    this.#socket.destroy();
  }
}

function isTlsRecord(chunk: Buffer): boolean {
  return chunk.length >= 3 && chunk[0]! >= 0x14 && chunk[0]! <= 0x17 && chunk[1] === 3 && chunk[2]! <= 4;
}
