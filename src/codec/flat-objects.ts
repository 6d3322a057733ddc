import { sharedVectors, type Vectors } from './vectors.ts';

/** Tells objects that can be taken as they stand from others, quickly: those it says no to may be good as well. */
export class FlatObjects {
  readonly #vectors: Vectors | null;
  readonly #name: Buffer;
  readonly #reserved: number;

  /** No member may be called `name`, or something that begins with the byte `reserved`. */
  constructor({ name, reserved }: { name: string; reserved: number }, vectors: Vectors | null = sharedVectors()) {
    this.#name = Buffer.from(name);
    this.#reserved = reserved;
    this.#vectors = vectors !== null && this.#name.length <= vectors.nameBytes ? vectors : null;
  }

  /**
   * Is `bytes[start, end)` one JSON object (RFC 8259, in valid UTF-8) with members, its braces first and last, in which there is no other object, no array in an array, and no
   * name with an escape?
   */
  has(bytes: Buffer, start: number, end: number): boolean {
    return this.#vectors?.isFlatObject(bytes, start, end, { name: this.#name, reserved: this.#reserved }) ?? false;
  }
}
