import type { ArchiveFormat, ArchiveMark } from '../position.ts';
import type { FileStatus, InputFile } from '../storage.ts';
import { Decompression } from './decompression.ts';

/**
 * The content of a compressed file as if it were the file. It is meant to be read forwards: what was read last is held, whoever goes further back begins anew.
 */
export class InflatedFile implements InputFile {
  readonly #file: InputFile;
  readonly #mark: ArchiveMark & { readonly format: ArchiveFormat };
  #decompression: Decompression | null = null;
  /** Content that was read last, and where it begins. */
  #held = Buffer.alloc(0);
  #heldFrom = 0;
  #heldBytes = 0;

  constructor(file: InputFile, mark: ArchiveMark & { readonly format: ArchiveFormat }) {
    this.#file = file;
    this.#mark = mark;
  }

  async read(bytes: Buffer, at: number, length: number, position: number): Promise<number> {
    // Behind it is nothing, or what is damaged.
    const wanted = Math.max(0, Math.min(length, this.#mark.length - position));
    if (position < this.#heldFrom) this.#beginAnew();
    this.#drop(position);
    while (this.#heldBytes < wanted || this.#heldFrom < position) {
      const piece = await this.#decompressed().next();
      if (piece === null) break;
      this.#hold(piece, wanted);
      this.#drop(position);
    }
    const count = this.#heldFrom < position ? 0 : Math.min(wanted, this.#heldBytes);
    this.#held.copy(bytes, at, 0, count);
    return count;
  }

  /** A compressed file does not change while it is read. */
  holds(): boolean {
    return true;
  }

  /** Of the compressed file. */
  status(): Promise<FileStatus> {
    return this.#file.status();
  }

  close(): Promise<void> {
    this.#decompression?.close();
    return this.#file.close();
  }

  #decompressed(): Decompression {
    const { format, damage } = this.#mark;
    const from = damage?.carefulFrom ?? Infinity;
    return (this.#decompression ??= new Decompression(this.#file, format, { from, step: 1 }));
  }

  #beginAnew(): void {
    this.#decompression?.close();
    this.#decompression = null;
    this.#heldFrom = 0;
    this.#heldBytes = 0;
  }

  /** Nothing before `position` is asked for again. */
  #drop(position: number): void {
    const count = Math.min(this.#heldBytes, position - this.#heldFrom);
    if (count <= 0) return;
    this.#held.copyWithin(0, count, this.#heldBytes);
    this.#heldFrom += count;
    this.#heldBytes -= count;
  }

  #hold(piece: Buffer, wanted: number): void {
    const length = this.#heldBytes + piece.length;
    if (this.#held.length < length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, wanted + piece.length));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    piece.copy(this.#held, this.#heldBytes);
    this.#heldBytes = length;
  }
}
