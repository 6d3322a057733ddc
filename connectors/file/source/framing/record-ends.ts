import { Delimiter, LINE_FEED } from './delimiter.ts';
import { textFormOf } from './encoding.ts';
import type { FramingSettings } from './settings.ts';

/** Told all bytes of a file, piece by piece, it knows where the last whole record ends. */
export interface RecordEnds {
  /** Behind the last whole record so far; 0 for none. */
  readonly last: number;
  /** The next bytes, which begin at byte `from` of the file. */
  add(piece: Buffer, from: number): void;
}

export function createRecordEnds(settings: FramingSettings): RecordEnds {
  // Of a file that is a record nothing is whole before its end.
  if (settings.framing === 'file') return { last: 0, add: () => undefined };
  return settings.framing === 'length' ? new CountedEnds(settings) : new DelimitedEnds(settings);
}

class DelimitedEnds implements RecordEnds {
  last = 0;
  readonly #settings: FramingSettings;
  #delimiter: Delimiter | null = null;
  /** The first half of a unit that lies across two pieces. */
  #half = Buffer.alloc(0);

  constructor(settings: FramingSettings) {
    this.#settings = settings;
  }

  add(piece: Buffer, from: number): void {
    const { framing, encoding } = this.#settings;
    this.#delimiter ??= new Delimiter(framing === 'nul' ? 0 : LINE_FEED, textFormOf(encoding, piece));
    const delimiter = this.#delimiter;
    const across = Buffer.concat([this.#half, piece.subarray(0, this.#half.length)]);
    if (across.length === 2 && delimiter.isAt(across, 0)) this.last = from + 1;
    const behind = delimiter.behindLast(piece, piece.length, from);
    if (behind > 0) this.last = from + behind;
    this.#half = Buffer.from(piece.subarray(delimiter.aligned(piece.length, from)));
  }
}

/** Goes from length to length. */
class CountedEnds implements RecordEnds {
  last = 0;
  readonly #lengthBytes: number;
  readonly #isBigEndian: boolean;
  /** Where the length of the next record begins, and what of it the pieces before held. */
  #next = 0;
  #held = Buffer.alloc(0);

  constructor({ lengthBytes, byteOrder }: FramingSettings) {
    this.#lengthBytes = lengthBytes;
    this.#isBigEndian = byteOrder === 'big';
  }

  add(piece: Buffer, from: number): void {
    const size = this.#lengthBytes;
    const end = from + piece.length;
    while (this.#next + size <= end) {
      const held = this.#held.length;
      const own = piece.subarray(Math.max(0, this.#next - from), this.#next + size - from);
      const length = held === 0 ? own : Buffer.concat([this.#held, own]);
      this.#held = Buffer.alloc(0);
      // It ends where the next one begins, which may be in a later piece.
      this.last = this.#next;
      this.#next += size + (this.#isBigEndian ? length.readUIntBE(0, size) : length.readUIntLE(0, size));
    }
    if (this.#next <= end) this.last = this.#next;
    if (this.#next < end) this.#held = Buffer.concat([this.#held, piece.subarray(Math.max(0, this.#next - from))]);
  }
}
