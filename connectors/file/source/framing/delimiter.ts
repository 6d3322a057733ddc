import type { TextForm } from './encoding.ts';

export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;

/** A code unit that ends records, and where it stands: units of two bytes begin at even places of the file. */
export class Delimiter {
  readonly width: 1 | 2;
  readonly #first: number;
  readonly #second: number;

  constructor(code: number, { width, isBigEndian }: Pick<TextForm, 'width' | 'isBigEndian'>) {
    this.width = width;
    this.#first = width === 2 && isBigEndian ? 0 : code;
    this.#second = isBigEndian ? code : 0;
  }

  /** The first one within [at, end) of bytes that begin at byte `from` of the file; -1 for none. */
  find(bytes: Buffer, at: number, end: number, from: number): number {
    if (this.width === 1) {
      const found = bytes.indexOf(this.#first, at);
      return found < end ? found : -1;
    }
    for (let unit = this.aligned(at + 1, from); unit + 1 < end; unit += 2) if (this.isAt(bytes, unit)) return unit;
    return -1;
  }

  /** Behind the last one within [0, end); 0 for none. */
  behindLast(bytes: Buffer, end: number, from: number): number {
    if (end === 0) return 0;
    if (this.width === 1) return bytes.lastIndexOf(this.#first, end - 1) + 1;
    for (let unit = this.aligned(end, from) - 2; unit >= 0; unit -= 2) if (this.isAt(bytes, unit)) return unit + 2;
    return 0;
  }

  /** The last index up to `at` where a unit may begin. */
  aligned(at: number, from: number): number {
    return this.width === 1 ? at : at - ((from + at) & 1);
  }

  isAt(bytes: Buffer, unit: number): boolean {
    return bytes[unit] === this.#first && (this.width === 1 || bytes[unit + 1] === this.#second);
  }
}
