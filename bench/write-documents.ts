import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { fillParts } from '../scripts/docs/markdown.ts';
import { chartSvg } from './chart.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Report } from './rows.ts';
import { tableMarkdown, verdictsMarkdown } from './table.ts';
import { judge } from './verdicts.ts';

/** `report.json`: what README.md and the chart are made of. */
interface KeptReport extends Report {
  readonly machine: Machine;
  readonly measured: string;
  readonly records: number;
}

/** Writes the report, README.md and the chart. Paths that were not run now keep what they had. */
export async function writeDocuments(report: Report, { records }: { readonly records: number }): Promise<void> {
  const measured = new Date().toISOString().slice(0, 10);
  const kept: KeptReport = {
    machine: await describeMachine(),
    measured,
    records,
    ...merged(await readKept(), report),
  };
  await writeFormatted('report.json', JSON.stringify(kept));
  await writeFile(file('chart.svg'), chartSvg(kept.rows));
  const readme = await readFile(file('README.md'), 'utf8');
  const parts = {
    machine: machineText(kept),
    table: tableMarkdown(kept),
    targets: verdictsMarkdown(judge(kept.rows)),
  };
  await writeFormatted('README.md', fillParts(readme, parts));
}

async function readKept(): Promise<Report> {
  try {
    return JSON.parse(await readFile(file('report.json'), 'utf8')) as Report;
  } catch {
    return { rows: [], missing: [], failed: [] };
  }
}

/** Rows of a path are of one run: the new ones replace all of them. */
function merged(before: Report, now: Report): Report {
  const isNew = new Set([...now.rows, ...now.missing, ...now.failed].map(({ path }) => path));
  const join = <Each extends { readonly path: string }>(old: readonly Each[], added: readonly Each[]): Each[] => [
    ...old.filter(({ path }) => !isNew.has(path)),
    ...added,
  ];
  return {
    rows: join(before.rows, now.rows),
    missing: join(before.missing, now.missing),
    failed: join(before.failed, now.failed),
  };
}

function machineText({ machine, measured, records, rows }: KeptReport): string {
  const { cpu, cores, memory_gb: memory, linux, node, kafka, elasticsearch, java } = machine;
  // Long paths run once, others as often as was asked for.
  const runs = [...new Set(rows.map((row) => row.runs))].sort((one, other) => one - other).join(' or ');
  return (
    `${measured}: ${cores} cores (${cpu}), ${memory} GB of memory, Linux ${linux}, Node ${node}, Kafka ${kafka} and Elasticsearch ${elasticsearch} on Java ${java}, ` +
    `all on this machine. ${runs} runs each, ${records.toLocaleString('en-US')} records a run; slow systems get what they carry in 25 s.`
  );
}

async function writeFormatted(name: string, text: string): Promise<void> {
  const filepath = file(name);
  await writeFile(filepath, await format(text, { ...(await resolveConfig(filepath)), filepath }));
}

function file(name: string): string {
  return join(import.meta.dirname, name);
}
