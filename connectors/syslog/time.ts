const ZERO = 0x30;
const COLON = 0x3a;
const SPACE = 0x20;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** `2003-10-11T22:14:15` */
const SECONDS_BYTES = 19;
const LONGEST_BYTES = 35;
/** `Oct 11 22:14:15` */
const STAMP_BYTES = 15;
const MONTHS = new Map(
  'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ').map((name, index) => [name, index]),
);

/** Reads `2003-10-11T22:14:15.003Z` and the like (RFC 3339, RFC 5424 section 6.2.3). Messages of one second come together: it is worked out once. */
export class Rfc3339Time {
  readonly #seconds = Buffer.alloc(SECONDS_BYTES);
  #secondsMs = NaN;

  /** Null when it is none. */
  read(bytes: Buffer, start: number, end: number): number | null {
    const length = end - start;
    if (length < SECONDS_BYTES + 1 || length > LONGEST_BYTES) return null;
    if (!this.#isSame(bytes, start)) this.#readSeconds(bytes, start);
    let at = start + SECONDS_BYTES;
    let fraction = 0;
    if (bytes[at] === 0x2e) {
      let weight = 100;
      for (at++; at < end && bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9; at++, weight /= 10)
        fraction += (bytes[at]! - ZERO) * weight;
    }
    const timeMs = this.#secondsMs + Math.floor(fraction + 1e-6) - offsetMs(bytes, at, end);
    return timeMs >= 0 ? timeMs : null;
  }

  #isSame(bytes: Buffer, start: number): boolean {
    for (let at = 0; at < SECONDS_BYTES; at++) if (bytes[start + at] !== this.#seconds[at]) return false;
    return true;
  }

  #readSeconds(bytes: Buffer, start: number): void {
    bytes.copy(this.#seconds, 0, start, start + SECONDS_BYTES);
    const year = 100 * two(bytes, start) + two(bytes, start + 2);
    const month = two(bytes, start + 5);
    const day = two(bytes, start + 8);
    const hour = two(bytes, start + 11);
    const minute = two(bytes, start + 14);
    const second = two(bytes, start + 17);
    const isDate =
      bytes[start + 4] === 0x2d && bytes[start + 7] === 0x2d && month >= 1 && month <= 12 && day >= 1 && day <= 31;
    const isTime =
      bytes[start + 13] === COLON && bytes[start + 16] === COLON && hour < 24 && minute < 60 && second < 61;
    this.#secondsMs = isDate && isTime ? Date.UTC(year, month - 1, day, hour, minute, second) : NaN;
  }
}

/** NaN when it is none. */
function offsetMs(bytes: Buffer, at: number, end: number): number {
  const sign = bytes[at];
  if ((sign === 0x5a || sign === 0x7a) && at + 1 === end) return 0;
  if ((sign !== 0x2b && sign !== 0x2d) || at + 6 !== end || bytes[at + 3] !== COLON) return NaN;
  const minutes = 60 * two(bytes, at + 1) + two(bytes, at + 4);
  return (sign === 0x2d ? -minutes : minutes) * MINUTE_MS;
}

/** NaN unless both are digits. */
function two(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : NaN;
}

/** Reads `Oct 11 22:14:15`, also with a year or milliseconds behind. It has no zone: that of the options is meant; and no year: that which makes it nearest to now. */
export class Rfc3164Time {
  timeMs = 0;
  readonly #offsetMs: number;

  constructor(offsetMinutes: number) {
    this.#offsetMs = offsetMinutes * MINUTE_MS;
  }

  /** Where it ends; -1 when it is none. */
  read(bytes: Buffer, at: number, end: number, nowMs: number): number {
    if (end - at < STAMP_BYTES || bytes[at + 3] !== SPACE || bytes[at + 6] !== SPACE) return -1;
    const month = MONTHS.get(bytes.toString('latin1', at, at + 3));
    const day = bytes[at + 4] === SPACE ? bytes[at + 5]! - ZERO : two(bytes, at + 4);
    const [hour, minute, second] = [two(bytes, at + 7), two(bytes, at + 10), two(bytes, at + 13)];
    if (bytes[at + 9] !== COLON || bytes[at + 12] !== COLON || month === undefined) return -1;
    if (!(day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 61)) return -1;
    const year = new Date(nowMs).getUTCFullYear();
    const ofYear = (each: number): number => Date.UTC(each, month, day, hour, minute, second) - this.#offsetMs;
    // At the turn of the year messages of December come in January, and clocks that are fast write January in December.
    const candidates = [ofYear(year), ofYear(year - 1), ofYear(year + 1)];
    this.timeMs = candidates.find((each) => Math.abs(each - nowMs) < 183 * DAY_MS) ?? candidates[0]!;
    let after = at + STAMP_BYTES;
    if (bytes[after] === 0x2e) {
      let weight = 100;
      for (after++; after < end && bytes[after]! >= ZERO && bytes[after]! <= ZERO + 9; after++, weight /= 10)
        this.timeMs += Math.floor((bytes[after]! - ZERO) * weight);
    }
    // Cisco's devices put a colon behind it.
    if (after < end && bytes[after] === COLON) after++;
    return after === end || bytes[after] === SPACE ? after : -1;
  }
}
