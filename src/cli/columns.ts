type Side = 'left' | 'right';

/** Lines of aligned cells, the head first; numbers belong to the right. */
export function columns(
  head: readonly (readonly [title: string, side: Side])[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = head.map(([title], column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        head[column]![1] === 'left' ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('   ')
      .trimEnd();
  return [line(head.map(([title]) => title)), ...rows.map(line)];
}
