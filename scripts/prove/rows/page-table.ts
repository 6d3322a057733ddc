import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isPart, type Row } from './row.ts';
import { isProven, type RowResult } from './state.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');

/** The table of a page of `docs/`, in Markdown. */
export function tableOf(rows: readonly Row[], resultOf: (name: string) => RowResult | null): string {
  const lines = rows.map((row) => lineOf(row, resultOf(row.name)));
  const head = ['what', 'fault', 'on', 'records', 'lost', 'twice', 'found', 'shown by'];
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...lines].join('\n');
}

/** Puts it between the marks of the page that carry the name of the proof: `<!-- prove:delivery -->`. */
export async function writeTable(table: string, { name, page }: { name: string; page: string }): Promise<void> {
  const file = join(docs, page);
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const text = await readFile(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${relative(process.cwd(), file)} has no ${begin} … ${end}`);
  await writeFile(file, `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`);
}

function lineOf({ name, component, fault, on, by }: Row, result: RowResult | null): string {
  const shown = isPart(by) ? `\`--rows ${name}\`` : links(by.map(({ file }) => file));
  const isNumbered = isPart(by) && result !== null;
  const numbers = isNumbered ? [result.expected, result.lost, result.duplicated].map(grouped) : ['', '0', '0'];
  const found =
    result === null
      ? ['–', '–', '–', 'not run']
      : [...numbers, isProven(result) ? noteOf(result, isPart(by)) : 'FAILED'];
  return `| ${[component, fault, on, ...found, shown].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function noteOf({ note, elapsedMs }: RowResult, isCounted: boolean): string {
  return isCounted ? note : `${(elapsedMs / 1000).toFixed(0)} s`;
}

function links(files: readonly string[]): string {
  return [...new Set(files)].map((file) => `[${file.replace(/^test\//, '')}](../${file})`).join(', ');
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}
