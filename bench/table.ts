import { type Columns, markdownTable, textTable } from './columns.ts';
import type { Absent, Report, Row } from './rows.ts';
import { type Verdict, verdictCells, verdictTitles } from './verdicts.ts';

const titles = [
  'path',
  'system',
  'codec',
  'CPU-s/M',
  'records/s',
  'start-up CPU-s',
  'peak RSS MB',
  'CPU-s/M min-max',
  'more',
];

/** As it is printed. */
export function tableText({ rows, missing, failed }: Report): string {
  return [textTable(columnsOf(rows)), ...absentLines('missing', missing), ...absentLines('FAILED', failed)].join('\n');
}

/** As it stands in README.md. */
export function tableMarkdown({ rows, missing, failed }: Report): string {
  const notes = [...absentLines('missing', missing), ...absentLines('FAILED', failed)].map((line) => `- ${line}`);
  return [markdownTable(columnsOf(rows)), '', ...notes].join('\n').trimEnd();
}

export function verdictsText(verdicts: readonly Verdict[]): string {
  return textTable(verdictColumns(verdicts));
}

export function verdictsMarkdown(verdicts: readonly Verdict[]): string {
  return markdownTable(verdictColumns(verdicts));
}

function verdictColumns(verdicts: readonly Verdict[]): Columns {
  return { titles: verdictTitles, rows: verdicts.map(verdictCells), numbers: [1, 2] };
}

function columnsOf(rows: readonly Row[]): Columns {
  return { titles, rows: rows.map(cellsOf), numbers: [3, 4, 5, 6, 7] };
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
    Object.entries(row.more)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
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
