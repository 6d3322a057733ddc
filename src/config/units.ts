const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** `500ms`, `1.5s`, `10m`, `24h`, `7d` → whole milliseconds; null when it is no duration. */
export function parseDuration(text: string): number | null {
  return parse(text, DURATION_MS);
}

/** `512B`, `64KiB`, `1.5GiB`, `10MB` → whole bytes; null when it is no size. */
export function parseSize(text: string): number | null {
  return parse(text, SIZE_BYTES);
}

/** As it would be written: `1500` → `1500ms`, `60000` → `1m`. */
export function formatDuration(ms: number): string {
  return format(ms, DURATION_MS, 'ms');
}

/** As it would be written: `65536` → `64KiB`. */
export function formatSize(bytes: number): string {
  const binary = Object.fromEntries(Object.entries(SIZE_BYTES).filter(([unit]) => unit.endsWith('iB') || unit === 'B'));
  return format(bytes, binary, 'B');
}

function parse(text: string, units: Readonly<Record<string, number>>): number | null {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{1,3})$/.exec(text.trim()) ?? [];
  if (number === undefined || unit === undefined || !Object.hasOwn(units, unit)) return null;
  const value = Math.round(Number(number) * units[unit]!);
  return Number.isSafeInteger(value) ? value : null;
}

/** In the largest unit that says it with a whole number. */
function format(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const fitting = Object.entries(units).filter(([, factor]) => value >= factor && value % factor === 0);
  const [unit, factor] = fitting.reduce((best, next) => (next[1] > best[1] ? next : best), [smallest, 1]);
  return `${value / factor}${unit}`;
}
