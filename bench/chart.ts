import type { Row } from './rows.ts';

const WIDTH = 760;
const LABELS = 190;
const FIGURES = 60;
const BAR = 18;
const GAP = 6;
const HEAD = 34;

/** CPU seconds per million records as bars, a group for each path on which peers were measured. No colours are needed to tell them apart. */
export function chartSvg(rows: readonly Row[]): string {
  const groups = groupsOf(rows);
  let y = 16;
  const parts: string[] = [];
  for (const { title, bars } of groups) {
    parts.push(text(12, y + 16, title, 'font-weight="bold"'));
    y += HEAD;
    const most = Math.max(...bars.map(({ cpu_seconds_per_million: cpu }) => cpu));
    for (const { system, cpu_seconds_per_million: cpu } of bars) {
      const width = Math.max(2, Math.round((cpu / most) * (WIDTH - LABELS - FIGURES)));
      const fill = system === 'sluice' ? '#0b6e4f' : '#9aa5b1';
      parts.push(
        text(LABELS - 8, y + 13, system, 'text-anchor="end"'),
        `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" fill="${fill}"/>`,
        text(LABELS + width + 6, y + 13, cpu.toFixed(2), ''),
      );
      y += BAR + GAP;
    }
    y += 14;
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="CPU seconds per million records, by path and system">`;
  const paper = `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`;
  return `${[head, paper, '<g font-family="sans-serif" font-size="13" fill="#1f2933">', ...parts, '</g>', '</svg>'].join('\n')}\n`;
}

interface Group {
  readonly title: string;
  /** The cheapest first. */
  readonly bars: readonly Row[];
}

function groupsOf(rows: readonly Row[]): Group[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const title = `${row.path}, ${row.codec}: CPU seconds per million records`;
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  return [...groups]
    .filter(([, bars]) => bars.length > 1 && bars.every(({ records_per_second: rate }) => rate > 0))
    .map(([title, bars]) => ({
      title,
      bars: bars.sort((one, other) => one.cpu_seconds_per_million - other.cpu_seconds_per_million),
    }));
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
