const SHORTEST_MS = 20;
const LONGEST_MS = 1000;

/** How long to wait after so many failures in a row (1 is the first): doubled from 20 ms up to 1 s, between half of it and all, so that many clients do not come at once. */
export function backOff(failures: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(failures - 1, 16));
  return full / 2 + (random() * full) / 2;
}
