import type { JsonWriter } from 'sluice/codec';

const SPACE = 0x20;
/** As many programs as write at once, or nearly. */
const SLOTS = 16;
/** Of a header's fields; longer ones are not kept. */
const MOST_BYTES = 128;
/** With the names of four fields around them. */
const MOST_JSON_BYTES = MOST_BYTES + 64;

/** Header fields of messages and what they are as JSON: programs repeat theirs, so that they need not be written field by field each time. */
export class RepeatedFields {
  readonly #fields = Buffer.alloc(SLOTS * MOST_BYTES);
  readonly #lengths = new Int32Array(SLOTS);
  readonly #json = Buffer.alloc(SLOTS * MOST_JSON_BYTES);
  readonly #jsonLengths = new Int32Array(SLOTS);
  /** Where the last ones were. */
  #last = 0;

  /** Appends what stands at `start` when it is known, with a space behind it before `end`, and returns where that is; else -1. */
  put(bytes: Buffer, start: number, end: number, json: JsonWriter): number {
    for (let tried = 0; tried < SLOTS; tried++) {
      const slot = (this.#last + tried) % SLOTS;
      const length = this.#lengths[slot]!;
      if (length === 0) return -1;
      if (start + length >= end || !this.#isAt(slot, bytes, start, length)) continue;
      this.#last = slot;
      const from = slot * MOST_JSON_BYTES;
      json.slice(this.#json, from, from + this.#jsonLengths[slot]!);
      return start + length;
    }
    return -1;
  }

  /** `json` was written for the fields in `bytes[start, end)`. */
  keep(bytes: Buffer, start: number, end: number, json: Buffer): void {
    if (end - start > MOST_BYTES || json.length > MOST_JSON_BYTES) return;
    const slot = (this.#last = (this.#last + SLOTS - 1) % SLOTS);
    this.#lengths[slot] = bytes.copy(this.#fields, slot * MOST_BYTES, start, end);
    this.#jsonLengths[slot] = json.copy(this.#json, slot * MOST_JSON_BYTES);
  }

  #isAt(slot: number, bytes: Buffer, start: number, length: number): boolean {
    if (bytes[start + length] !== SPACE) return false;
    const fields = this.#fields;
    const first = slot * MOST_BYTES;
    // Backwards: programs of one machine differ at the end.
    for (let at = length - 1; at >= 0; at--) if (bytes[start + at] !== fields[first + at]) return false;
    return true;
  }
}
