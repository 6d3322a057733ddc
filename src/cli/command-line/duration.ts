import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const DURATION = /^(\d+)(ms|s|m|h|d)$/;

export function isDuration(text: string): boolean {
  return DURATION.test(text);
}

/** `500ms`, `30s`, `5m`, `1h`, `7d` of a flag → milliseconds. */
export function milliseconds(text: string): number {
  const [, number, unit] = DURATION.exec(text) ?? [];
  if (number === undefined || unit === undefined) throw new InvalidArgumentError('Give a duration such as 30s or 5m.');
  return Number(number) * UNITS[unit]!;
}
