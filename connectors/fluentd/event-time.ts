import type { MsgpackCursor } from 'sluice/codec';

const NANOS = 1_000_000_000;
const NANOS_OF_MS = 1_000_000;
const EVENT_TIME = 0;
const EVENT_TIME_BYTES = 8;
/** What a record's timestamp can hold: far beyond any calendar. */
const LATEST_SECONDS = 2 ** 42;
/** `2026-01-31T12:00:00` */
const SECONDS_CHARACTERS = 19;

/** The time of an event, read without building anything: EventTime, whole seconds or parts of them; nothing and 0 are now, as in fluentd. */
export class EventTime {
  seconds = 0;
  nanos = 0;
  #textOf = -1;
  #text = '';

  get milliseconds(): number {
    return 1000 * this.seconds + Math.floor(this.nanos / NANOS_OF_MS);
  }

  /** RFC 3339 in UTC, with nanoseconds. */
  get text(): string {
    // Events of one second come together.
    if (this.#textOf !== this.seconds) {
      this.#textOf = this.seconds;
      const date = new Date(1000 * this.seconds);
      this.#text = Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, SECONDS_CHARACTERS);
    }
    return `${this.#text}.${String(this.nanos).padStart(9, '0')}Z`;
  }

  /** So many seconds; what is no time is now. */
  set(seconds: number, nowMs: number): void {
    this.seconds = this.nanos = 0;
    this.#setSeconds(seconds);
    if (this.seconds === 0) this.#setSeconds(nowMs / 1000);
  }

  /** Reads the value at the cursor, in the form of v1.5 too, where metadata stands beside it. What is no time is now, too. Throws `DECODE_INVALID` where bytes are missing. */
  read(cursor: MsgpackCursor, nowMs: number): void {
    if (cursor.kind() !== 'array') {
      this.#read(cursor, nowMs);
      return;
    }
    const parts = cursor.array();
    if (parts > 0) this.#read(cursor, nowMs);
    for (let part = 1; part < parts; part++) cursor.skip();
  }

  #read(cursor: MsgpackCursor, nowMs: number): void {
    const kind = cursor.kind();
    this.seconds = this.nanos = 0;
    if (kind === 'ext') this.#readExt(cursor);
    else if (kind === 'number') this.#setSeconds(cursor.number());
    else cursor.skip();
    if (this.seconds === 0) this.#setSeconds(nowMs / 1000);
  }

  #readExt(cursor: MsgpackCursor): void {
    cursor.ext();
    if (cursor.type !== EVENT_TIME || cursor.to - cursor.from !== EVENT_TIME_BYTES) return;
    this.seconds = cursor.uint32(cursor.from);
    this.nanos = Math.min(NANOS - 1, cursor.uint32(cursor.from + 4));
  }

  #setSeconds(seconds: number): void {
    if (!(seconds > 0 && seconds < LATEST_SECONDS)) return;
    this.seconds = Math.floor(seconds);
    this.nanos = Math.floor((seconds - this.seconds) * NANOS);
  }
}
