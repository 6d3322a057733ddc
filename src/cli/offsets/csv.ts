import { parse } from 'csv-parse/sync';
import { SluiceError } from '../../api/index.ts';

/** Rows of fields with line feeds; fields are quoted where RFC 4180 wants it. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

/** Rows of any length, without empty lines. Throws `OPTION_INVALID`. */
export function parseCsv(text: string): string[][] {
  try {
    return parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    throw new SluiceError('OPTION_INVALID', 'reading offsets as CSV', { cause: error });
  }
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
