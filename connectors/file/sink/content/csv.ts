import { stringify } from 'csv-stringify/sync';
import { BlockBody, NOTHING, type FileBody, type Part, type RowContent } from './content.ts';
import { RowReader, type Cell, type Column } from './columns.ts';

export interface CsvOptions {
  readonly columns: readonly Column[];
  readonly delimiter: string;
  readonly header: boolean;
  readonly escapeFormulas: boolean;
  /** Of `compress`: `.gz`, `.zst`, or nothing. */
  readonly ending: string;
  readonly compress: ((bytes: Uint8Array) => Uint8Array) | null;
}

/** CSV as RFC 4180 has it, with line feeds; a missing value is nothing, an empty string is `""`. */
export function csvContent(options: CsvOptions): RowContent {
  const reader = new RowReader(options.columns);
  return {
    kind: 'rows',
    ending: `.csv${options.ending}`,
    addTo: (rows, batch, index) => {
      rows.push(csvCells(reader.rowOf(batch, index), options.columns));
    },
    begin: (): FileBody => new CsvBody(options),
  };
}

/** Times as ISO 8601, truth as a word. */
function csvCells(row: readonly Cell[], columns: readonly Column[]): (string | null)[] {
  return row.map((cell, at) => {
    if (cell === null) return null;
    return columns[at]!.type === 'timestamp' ? isoText(cell as number) : String(cell);
  });
}

function isoText(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}

function quoteEmpty(text: string): string | { value: string; quoted_empty: true } {
  return text === '' ? { value: text, quoted_empty: true } : text;
}

class CsvBody extends BlockBody {
  readonly block = 1 << 20;
  readonly #options: CsvOptions;
  #rows: unknown[] = [];
  #hasHeader = false;

  constructor(options: CsvOptions) {
    super();
    this.#options = options;
  }

  protected take({ rows, size }: Part): number {
    for (const row of rows) this.#rows.push(row);
    return size;
  }

  protected encodeBlock(): Uint8Array {
    const { columns, delimiter, header, escapeFormulas, compress } = this.#options;
    if (this.#rows.length === 0) return NOTHING;
    const names = columns.map(({ name }) => name);
    const rows = header && !this.#hasHeader ? [names, ...this.#rows] : this.#rows;
    const text = stringify(rows, {
      delimiter,
      escape_formulas: escapeFormulas,
      cast: { string: quoteEmpty },
    });
    const bytes = Buffer.from(text);
    return compress === null ? bytes : compress(bytes);
  }

  protected clear(): void {
    this.#hasHeader = true;
    this.#rows = [];
  }
}
