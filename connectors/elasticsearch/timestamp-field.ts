import type { ByteWriter } from 'sluice/codec';

const LONGEST_YEAR = 253_402_300_799_999;
const SECOND_MS = 1000;
const ZERO = 0x30;
const OPENING = Buffer.from('"@timestamp":"');
const CLOSING = Buffer.from('Z"');
const POINT = 0x2e;

/** The member that data streams demand, from the time of a record: `"@timestamp":"2026-11-25T17:00:00.000Z"`. */
export class TimestampField {
  #second = NaN;
  #text = Buffer.alloc(0);

  /** False when the time has no such text: before 1970 or after 9999. */
  write(writer: ByteWriter, timestampMs: number): boolean {
    if (!(timestampMs >= 0 && timestampMs <= LONGEST_YEAR)) return false;
    const second = Math.floor(timestampMs / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = Buffer.from(new Date(second * SECOND_MS).toISOString().slice(0, 19));
    }
    writer.copy(OPENING);
    writer.copy(this.#text);
    const ms = timestampMs - second * SECOND_MS;
    writer.byte(POINT);
    writer.byte(ZERO + Math.floor(ms / 100));
    writer.byte(ZERO + (Math.floor(ms / 10) % 10));
    writer.byte(ZERO + (ms % 10));
    writer.copy(CLOSING);
    return true;
  }
}
