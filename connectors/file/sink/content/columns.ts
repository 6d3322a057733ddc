import { SluiceError, type DataRecord, type RecordBatch } from 'sluice/api';
import { ColumnValues } from './column-values.ts';

export const columnTypes = ['string', 'int', 'long', 'float', 'double', 'boolean', 'timestamp', 'json'] as const;
export type ColumnType = (typeof columnTypes)[number];

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** `value.a.b`, `headers.x`, `key`, `timestamp` …; the field of the value that has the column's name when unset. */
  readonly from?: string;
  readonly required: boolean;
}

/** What a cell may hold; a `long` beyond 2^53 is a bigint, a `timestamp` milliseconds since the epoch, `json` its text. */
export type Cell = string | number | bigint | boolean | null;

export const columnSource = /^(key|timestamp|topic|partition|offset|headers\.[^.]+|value(\.[^.]+)*)$/;

/** Where a cell comes from, whoever decodes the value. */
interface Origin {
  readonly batch: RecordBatch;
  readonly index: number;
  readonly value: unknown;
}

/** Reads the cells of records: of their values no more than the columns ask for. */
export class RowReader {
  readonly #cells: readonly ((origin: Origin) => Cell)[];
  readonly #values: ColumnValues;

  constructor(columns: readonly Column[]) {
    this.#cells = columns.map(cellReader);
    this.#values = new ColumnValues(columns.map(pathOf));
  }

  rowOf(batch: RecordBatch, index: number): Cell[] {
    const row: Cell[] = [];
    this.addTo(row, batch, index);
    return row;
  }

  /** Puts the cells behind those that are there. Throws `SINK_REJECTED`, naming the column, and what the decoding of the value throws. */
  addTo(cells: unknown[], batch: RecordBatch, index: number): void {
    const before = cells.length;
    try {
      const origin = { batch, index, value: this.#values.of(batch, index) };
      for (const cellOf of this.#cells) cells.push(cellOf(origin));
    } catch (error) {
      cells.length = before;
      throw error;
    }
  }
}

function pathOf({ name, from }: Column): readonly string[] {
  return from === undefined ? ['value', name] : from.split('.');
}

function cellReader(column: Column): (origin: Origin) => Cell {
  const { name, type, from, required } = column;
  const source = from ?? `value.${name}`;
  const read = readerOf(pathOf(column));
  return (origin) => {
    const found = read(origin);
    if (found === undefined || found === null) {
      if (required)
        throw refused(name, `\`${source}\` is ${found === null ? 'null' : 'missing'}, and the column is required`);
      return null;
    }
    const cell = convert[type](found);
    if (cell === undefined) throw refused(name, `\`${source}\` is ${described(found)}, which is no ${type}`);
    return cell;
  };
}

function readerOf([first, ...path]: readonly string[]): (origin: Origin) => unknown {
  switch (first) {
    case 'value':
      return ({ value }) => fieldOf(value, path);
    case 'timestamp':
      return ({ batch, index }) => batch.timestamp(index);
    case 'offset':
      return ({ batch, index }) => batch.offset(index);
    default:
      return ({ batch, index }) => fieldOf(batch.record(index)[first as keyof DataRecord], path);
  }
}

function fieldOf(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** Undefined: it is not of the type. */
const convert: Record<ColumnType, (found: unknown) => Cell | undefined> = {
  string: (found) => (typeof found === 'string' ? found : JSON.stringify(found)),
  json: (found) => JSON.stringify(found),
  boolean: (found) => (typeof found === 'boolean' ? found : undefined),
  int: (found) =>
    Number.isInteger(found) && (found as number) === ((found as number) | 0) ? (found as number) : undefined,
  long: asLong,
  float: (found) => (typeof found === 'number' ? Math.fround(found) : undefined),
  double: (found) => (typeof found === 'number' ? found : undefined),
  timestamp: asTimestamp,
};

const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

/** Digits in a string are what producers write beyond 2^53. */
function asLong(found: unknown): number | bigint | undefined {
  if (Number.isSafeInteger(found)) return found as number;
  if (typeof found !== 'string' || !/^-?\d{1,19}$/.test(found)) return undefined;
  const long = BigInt(found);
  return long >= MIN_LONG && long <= MAX_LONG ? long : undefined;
}

/** ISO 8601, or milliseconds since the epoch. */
function asTimestamp(found: unknown): number | undefined {
  if (Number.isSafeInteger(found)) return found as number;
  if (typeof found !== 'string' || !/^\d{4}-\d\d-\d\d/.test(found)) return undefined;
  const time = Date.parse(found);
  return Number.isNaN(time) ? undefined : time;
}

function refused(name: string, why: string): SluiceError {
  return new SluiceError('SINK_REJECTED', `writing column "${name}": ${why}`);
}

export function described(found: unknown): string {
  const text = typeof found === 'bigint' ? String(found) : JSON.stringify(found);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
