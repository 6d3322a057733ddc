import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isPart, type Row } from './row.ts';
import { isProven, type RowResult } from './state.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
const page = join(docs, 'delivery.md');
const [BEGIN, END] = ['<!-- prove:delivery -->', '<!-- /prove:delivery -->'];

/** The table of `docs/delivery.md`, in Markdown. */
export function tableOf(rows: readonly Row[], resultOf: (name: string) => RowResult | null): string {
  const lines = rows.map((row) => lineOf(row, resultOf(row.name)));
  const head = ['what', 'fault', 'on', 'records', 'lost', 'twice', 'found', 'shown by'];
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...lines].join('\n');
}

/** Puts it between the marks of the page. */
export async function writeTable(table: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${relative(process.cwd(), page)} has no ${BEGIN} … ${END}`);
  await writeFile(page, `${text.slice(0, start + BEGIN.length)}\n\n${table}\n\n${text.slice(end)}`);
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
