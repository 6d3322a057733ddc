import { SluiceError, type Clock, type Logger, type RejectedRecord } from 'sluice/api';

const SAID_EVERY_MS = 60_000;

/** The dead letter of a record that is too long; `value` is its beginning, which is copied. */
export function tooLong(
  path: string,
  { value, offset, max }: { readonly value: Uint8Array; readonly offset: number; readonly max: number },
): RejectedRecord {
  const error = new SluiceError('RECORD_TOO_LARGE', `reading a line of "${path}": the record limit is ${max} bytes`);
  return { value: Buffer.from(value), error, position: `${path}@${offset}` };
}

/** Says what was left out because it was asked for, now and then. */
export class SkippedRecords {
  readonly #log: Logger;
  readonly #clock: Clock;
  #count = 0;
  #sayAt = -Infinity;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  skipped(path: string): void {
    this.#count++;
    const now = this.#clock.monotonic();
    if (now < this.#sayAt) return;
    this.#sayAt = now + SAID_EVERY_MS;
    this.#log.warn({ path, lines: this.#count }, 'lines longer than max_line skipped, as on_long_line says');
    this.#count = 0;
  }
}

/** Where to cut [start, end) of UTF-8 so that no character is cut in two; bytes that are no UTF-8 are cut anywhere. */
export function characterEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && end - at < 4 && (bytes[at]! & 0xc0) === 0x80) at--;
  return at > start && end - at < 4 ? at : end;
}
