export interface Columns {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The columns that stand on the right; all others hold words. */
  readonly numbers: readonly number[];
}

/** Aligned by spaces, for a terminal. */
export function textTable({ titles, rows, numbers }: Columns): string {
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (numbers.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

export function markdownTable({ titles, rows, numbers }: Columns): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = titles.map((_, column) => (numbers.includes(column) ? '--:' : '---'));
  return [titles, rule, ...rows].map(line).join('\n');
}
