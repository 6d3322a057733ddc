import type { OptionProblem } from 'sluice/api';
import type { SinkOptions } from '../sink-options.ts';

const AVRO_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_GZIP_LEVEL = 9;

/** What the schema cannot say. */
export function findProblems(options: SinkOptions): readonly OptionProblem[] {
  return [...columnProblems(options), ...compressionProblems(options)];
}

function columnProblems({ format, columns, schema }: SinkOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const hasColumns = columns.length > 0;
  if (schema !== undefined && format !== 'avro')
    problems.push({ path: ['schema'], message: '`schema` is for `format: avro`' });
  if (hasColumns && (format === 'raw' || format === 'ndjson'))
    problems.push({ path: ['columns'], message: `\`format: ${format}\` has no columns; take csv, avro or parquet` });
  if (format === 'avro' && hasColumns === (schema !== undefined))
    problems.push({ path: ['columns'], message: '`format: avro` takes one of `columns` and `schema`' });
  if (!hasColumns && (format === 'csv' || format === 'parquet'))
    problems.push({ path: ['columns'], message: `\`format: ${format}\` wants \`columns\`` });
  const names = new Set<string>();
  for (const [at, { name }] of columns.entries()) {
    const path = ['columns', at, 'name'];
    if (names.has(name)) problems.push({ path, message: `there is a column "${name}" already` });
    names.add(name);
    if (format === 'avro' && !AVRO_NAME.test(name))
      problems.push({
        path,
        message: 'a name in Avro has only letters, digits and `_`, and does not begin with a digit',
      });
  }
  return problems;
}

function compressionProblems({ format, compression, compression_level: level }: SinkOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (compression === 'snappy' && format !== 'parquet')
    problems.push({ path: ['compression'], message: '`snappy` is for `format: parquet`; take gzip or zstd' });
  if (level === undefined) return problems;
  const path = ['compression_level'];
  if (compression !== 'gzip' && compression !== 'zstd')
    problems.push({ path, message: '`compression_level` has no effect without `compression: gzip` or `zstd`' });
  else if (compression === 'gzip' && level > MAX_GZIP_LEVEL)
    problems.push({ path, message: `gzip has levels from 1 to ${MAX_GZIP_LEVEL}` });
  return problems;
}
