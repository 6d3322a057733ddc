const GROUPED = new Intl.NumberFormat('en-US');

/** 1,204,332 */
export function grouped(number: number): string {
  return GROUPED.format(number);
}

/** `1 record`, `4,775 records` */
export function counted(number: number, unit: string): string {
  return `${grouped(number)} ${unit}${number === 1 ? '' : 's'}`;
}

/** Records per second in five places: `0`, `830`, `52.1 k`, `1.20 M`. */
export function rate(perSecond: number): string {
  if (perSecond >= 999_950) return `${(perSecond / 1e6).toFixed(2)} M`;
  if (perSecond >= 9_999.5) return `${(perSecond / 1000).toFixed(1)} k`;
  return grouped(Math.round(perSecond));
}

/** `0 B`, `512 B`, `3.4 KiB`, `1.2 GiB` */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['KiB', 'MiB', 'GiB', 'TiB'][power - 1]!}`;
}

/** `3 ms`, `4.2 s`, `12 min`, `3.5 h` */
export function timeSpan(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}
