import { users } from '../numbered-lines.ts';

const FIRST_TIME = Date.UTC(2026, 2, 1);
const APART_MS = 8640;
const LATE_EVERY = 50;
const LATE_MS = 3 * 24 * 3_600_000;
const HASH = 2_654_435_761;

/** A record with its number, a checksum that follows from the number, and the time of its event, which is late for every fiftieth. */
export function recordOf(n: number): string {
  const at = new Date(timeOf(n)).toISOString();
  return `{"n":${n},"check":${checkOf(n)},"at":"${at}","user":"u${n % users}"}`;
}

/** 32 bits: the sum of a million of them is exact in a double. */
export function checkOf(n: number): number {
  return Math.imul(n + 1, HASH) >>> 0;
}

export function sumOfChecks(records: number): number {
  let sum = 0;
  for (let n = 0; n < records; n++) sum += checkOf(n);
  return sum;
}

/** The day of its event: `2026-03-01`. */
export function dayOf(n: number): string {
  return new Date(timeOf(n)).toISOString().slice(0, 10);
}

function timeOf(n: number): number {
  return FIRST_TIME + n * APART_MS - (n % LATE_EVERY === 0 ? LATE_MS : 0);
}
