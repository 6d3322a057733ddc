const NANOS_OF_SECOND = 1_000_000_000n;
const NANOS_OF_MS = 1_000_000n;
/** `2026-01-31T12:00:00` */
const SECONDS_CHARACTERS = 19;

export const LATEST_NANOS = 2n ** 64n - 1n;

export function millisecondsOf(nanos: bigint): number {
  return Number(nanos / NANOS_OF_MS);
}

/** Writes nanoseconds since the epoch as RFC 3339 in UTC, with all nine decimals. */
export class NanoTime {
  #secondsOf = -1n;
  #text = '';

  text(nanos: bigint): string {
    const seconds = nanos / NANOS_OF_SECOND;
    // Records of one second come together.
    if (seconds !== this.#secondsOf) {
      this.#secondsOf = seconds;
      this.#text = new Date(Number(seconds) * 1000).toISOString().slice(0, SECONDS_CHARACTERS);
    }
    return `${this.#text}.${String(nanos % NANOS_OF_SECOND).padStart(9, '0')}Z`;
  }
}
