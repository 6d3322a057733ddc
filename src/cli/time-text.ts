import type { Output } from './io.ts';

/** `2026-11-23 14:05:09` in the reader's zone on a terminal, ISO 8601 elsewhere; `-` for no time. */
export function timeText(ms: number, output: Pick<Output, 'isTTY'>): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '-';
  if (output.isTTY !== true) return date.toISOString();
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

/** For `--json`; null for no time. */
export function isoTime(ms: number): string | null {
  return Number.isNaN(new Date(ms).getTime()) ? null : new Date(ms).toISOString();
}
