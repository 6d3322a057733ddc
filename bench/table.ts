import type { Absent, Report, Row } from './rows.ts';

const titles = ['path', 'system', 'codec', 'CPU-s/M', 'records/s', 'start-up CPU-s', 'peak RSS MB', 'min-max CPU-s/M'];
/** The columns of words; numbers stand on the right. */
const WORDS = 3;

/** As it is printed. */
export function tableText({ rows, missing, failed }: Report): string {
  const cells = [titles, ...rows.map(cellsOf)];
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column < WORDS ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...absentLines('missing', missing), ...absentLines('FAILED', failed)].join('\n');
}

/** As it stands in README.md. */
export function tableMarkdown({ rows, missing, failed }: Report): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = titles.map((_, column) => (column < WORDS ? '---' : '--:'));
  const table = [line(titles), line(rule), ...rows.map((row) => line(cellsOf(row)))];
  const absent = [...absentLines('missing', missing), ...absentLines('FAILED', failed)];
  const notes = absent.map((text) => `- ${text}`);
  return [...table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

function cellsOf(row: Row): string[] {
  return [
    row.path,
    row.system,
    row.codec,
    row.cpu_seconds_per_million.toFixed(2),
    row.records_per_second.toLocaleString('en-US'),
    row.startup_cpu_seconds.toFixed(2),
    String(row.peak_rss_mb),
    row.cpu_spread.map((number) => number.toFixed(2)).join('-'),
  ];
}

function absentLines(word: string, systems: readonly Absent[]): string[] {
  const paths = new Map<string, Set<string>>();
  for (const { path, system, reason } of systems) {
    const what = `${system}: ${reason}`;
    paths.set(what, (paths.get(what) ?? new Set()).add(path));
  }
  return [...paths].map(([what, where]) => `${word} on ${[...where].join(', ')}: ${what}`);
}
