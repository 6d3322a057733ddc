import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { createHub, drain } from '../hub.ts';
import { endWithThisProcess } from '../ending.ts';
import type { Proof, Result } from '../proof.ts';
import { pythonPackages } from '../sources/peers/programs.ts';
import {
  columnTypes,
  nestedSchema,
  requiredColumns,
  typedRecord,
  type PlainCell,
  type TypedRecord,
} from './typed-records.ts';

const NAME = 'sinks-read-back';
const readers = join(import.meta.dirname, 'readers');

/** A sink of the proof, and how whoever reads its files shall find them. */
interface Written {
  readonly name: string;
  readonly format: 'parquet' | 'avro';
  readonly compression: string;
  readonly codec: string;
  readonly isNested?: boolean;
}

const written: readonly Written[] = [
  { name: 'parquet-none', format: 'parquet', compression: 'none', codec: 'UNCOMPRESSED' },
  { name: 'parquet-snappy', format: 'parquet', compression: 'snappy', codec: 'SNAPPY' },
  { name: 'parquet-gzip', format: 'parquet', compression: 'gzip', codec: 'GZIP' },
  { name: 'parquet-zstd', format: 'parquet', compression: 'zstd', codec: 'ZSTD' },
  { name: 'avro-none', format: 'avro', compression: 'none', codec: 'null' },
  { name: 'avro-gzip', format: 'avro', compression: 'gzip', codec: 'deflate' },
  { name: 'avro-zstd', format: 'avro', compression: 'zstd', codec: 'zstandard' },
  { name: 'avro-schema', format: 'avro', compression: 'gzip', codec: 'deflate', isNested: true },
];

/** As pyarrow names the types of the columns. */
const arrowTypes = {
  string: 'string',
  int: 'int32',
  long: 'int64',
  float: 'float',
  double: 'double',
  boolean: 'bool',
  timestamp: 'timestamp[ms, tz=UTC]',
  json: 'string',
};

/** Files of all codecs with columns of all types, read by pyarrow and fastavro: the same records. */
export async function proveReadBack({ folder, lines }: Proof): Promise<Result> {
  const packages = await pythonPackages('python-pyarrow-26.0.1-fastavro-1.13.1', [
    'pyarrow==26.0.1',
    'fastavro==1.13.1',
    'backports.zstd==1.8.0',
  ]);
  const hub = await createHub(folder, pipeline());
  await writeFile(join(folder, 'order.avsc'), JSON.stringify(nestedSchema));
  await writeInput(join(folder, 'in'), lines);
  await drain(hub);
  let [rows, lost, duplicated, blocks] = [0, 0, 0, 0];
  const problems: string[] = [];
  for (const one of written) {
    const found = await readBack(one, { folder, packages, lines }).catch(unread(lines));
    rows += found.rows;
    lost += found.lost;
    duplicated += found.duplicated;
    blocks += found.blocks;
    problems.push(...found.problems.map((problem) => `${one.name}: ${problem}`));
  }
  return {
    expected: written.length * lines,
    rows,
    lost,
    duplicated,
    note: `${written.map(({ name }) => name).join(', ')}: ${Object.keys(columnTypes).length} columns of all types, a schema of its own, ${blocks} blocks; equal records`,
    problems,
    unjudged: [],
  };
}

function pipeline(): string {
  const columns = Object.entries(columnTypes).map(
    ([name, type]) => `\n        - { name: ${name}, type: ${type}, required: ${requiredColumns.includes(name)} }`,
  );
  const sinks = written.map(
    ({ name, format, compression, isNested }) => `  - file:
      path: 'out/${name}'
      format: ${format}
      compression: ${compression}
      ${isNested === true ? 'schema: order.avsc' : `columns:${columns.join('')}`}
    name: ${name}
`,
  );
  return `name: ${NAME}\nsources:\n  - file: { include: ['in/*.log'] }\ntopic: { name: ${NAME}, partitions: 1 }\nsinks:\n${sinks.join('')}`;
}

async function writeInput(folder: string, lines: number): Promise<void> {
  await mkdir(folder);
  const file = await open(join(folder, 'a.log'), 'w');
  try {
    for (let n = 0; n < lines; n++) await file.write(`${typedRecord(n).value}\n`);
  } finally {
    await file.close();
  }
}

interface Found {
  rows: number;
  lost: number;
  duplicated: number;
  blocks: number;
  readonly problems: string[];
}

interface About {
  readonly codecs: readonly string[];
  readonly schema: unknown;
  readonly blocks: number;
}

/** Reads the files of one sink with the program of others, and compares record by record. */
async function readBack(
  one: Written,
  { folder, packages, lines }: { readonly folder: string; readonly packages: string; readonly lines: number },
): Promise<Found> {
  const seen = new Uint8Array(lines);
  const found: Found = { rows: 0, lost: lines, duplicated: 0, blocks: 0, problems: [] };
  let [changed, isFirst] = [0, true];
  for await (const line of linesOf(`read_${one.format}.py`, join(folder, 'out', one.name), packages)) {
    if (isFirst) {
      const about = JSON.parse(line) as About;
      found.blocks = about.blocks;
      found.problems.push(...judgeAbout(one, about));
      isFirst = false;
      continue;
    }
    const row = JSON.parse(line) as Record<string, PlainCell>;
    const n = Number(row.n);
    found.rows++;
    if (seen[n] === 1) found.duplicated++;
    else found.lost--;
    seen[n] = 1;
    if (!isDeepStrictEqual(row, wantedOf(one, typedRecord(n)))) {
      changed++;
      if (changed === 1) found.problems.push(`record ${n} is ${line.slice(0, 500)}`);
    }
  }
  if (changed > 0) found.problems.push(`${changed} records are not as they were`);
  return found;
}

/** What one reader cannot read does not hide what the others find. */
const unread =
  (lines: number) =>
  (error: unknown): Found => ({ rows: 0, lost: lines, duplicated: 0, blocks: 0, problems: [(error as Error).message] });

function wantedOf({ isNested }: Written, { columns, nested }: TypedRecord): PlainCell {
  return isNested === true ? nested : columns;
}

function judgeAbout({ format, codec, isNested }: Written, { codecs, schema }: About): readonly string[] {
  const asWanted =
    format === 'avro'
      ? isNested !== true || isDeepStrictEqual(namesOf(schema), namesOf(nestedSchema))
      : isDeepStrictEqual(schema, arrowSchema());
  return [
    ...(isDeepStrictEqual(codecs, [codec]) ? [] : [`the codecs are ${codecs.join(', ')}, not ${codec}`]),
    ...(asWanted ? [] : [`the schema is ${JSON.stringify(schema)}`]),
  ];
}

function arrowSchema(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(columnTypes).map(([name, type]) => [
      name,
      arrowTypes[type] + (requiredColumns.includes(name) ? ' required' : ''),
    ]),
  );
}

function namesOf(schema: unknown): readonly string[] {
  return (schema as { readonly fields: readonly { readonly name: string }[] }).fields.map(({ name }) => name);
}

/** What a script prints; rejects with what it complained of. */
async function* linesOf(script: string, folder: string, packages: string): AsyncGenerator<string> {
  const child = spawn('python3', [join(readers, script), folder], {
    env: { ...process.env, PYTHONPATH: packages },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithThisProcess(child);
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  const closed = once(child, 'close') as Promise<[number | null]>;
  yield* createInterface({ input: child.stdout, crlfDelay: Infinity });
  const [code] = await closed;
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${complaint.slice(-1000)}`);
}
