import { gzipSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { BlockBody, NOTHING, type Part, type RowContent } from './content.ts';
import { RowReader, type Cell, type Column, type ColumnType } from './columns.ts';
import { zstdBy } from './compressed-lines.ts';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];
export type ParquetCodec = 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'ZSTD';

export interface ParquetOptions {
  readonly columns: readonly Column[];
  readonly codec: ParquetCodec;
  readonly level: number | undefined;
}

/** Parquet files with a row group a block. */
export function parquetContent(options: ParquetOptions): RowContent {
  const reader = new RowReader(options.columns);
  return {
    kind: 'rows',
    ending: '.parquet',
    rowOf: (batch, index) => reader.rowOf(batch, index),
    begin: () => new ParquetBody(options),
  };
}

const types: Record<ColumnType, Partial<SchemaElement>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int: { type: 'INT32' },
  long: { type: 'INT64' },
  float: { type: 'FLOAT' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  timestamp: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  // Text already: the writer's own JSON type would encode it once more.
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
};

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: 'record', num_children: columns.length },
    ...columns.map(({ name, type, required }) => ({
      name,
      ...types[type],
      repetition_type: required ? ('REQUIRED' as const) : ('OPTIONAL' as const),
    })),
  ];
}

class ParquetBody extends BlockBody {
  readonly block = 8 << 20;
  readonly #columns: readonly Column[];
  readonly #bytes = new ByteWriter(64 * 1024);
  readonly #writer: ParquetWriter;
  #cells: Cell[][];
  #rows = 0;

  constructor({ columns, codec, level }: ParquetOptions) {
    super();
    this.#columns = columns;
    this.#cells = columns.map(() => []);
    const gzip = level === undefined ? {} : { level };
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: schemaOf(columns),
      codec,
      compressors: { GZIP: (bytes) => gzipSync(bytes, gzip), ZSTD: zstdBy(level) },
      createdBy: 'sluice',
    });
  }

  protected take({ rows, size }: Part): number {
    for (const row of rows as readonly (readonly Cell[])[]) {
      for (let column = 0; column < row.length; column++) this.#cells[column]!.push(row[column]!);
    }
    this.#rows += rows.length;
    return size;
  }

  protected encodeBlock(): Uint8Array {
    if (this.#rows === 0) return NOTHING;
    const columnData = this.#columns.map(({ name, type }, at) => ({ name, data: columnOf(type, this.#cells[at]!) }));
    // In memory: it writes at once.
    void this.#writer.write({ columnData, rowGroupSize: this.#rows });
    return this.#takeBytes();
  }

  protected clear(): void {
    this.#cells = this.#columns.map(() => []);
    this.#rows = 0;
  }

  override end(): Uint8Array {
    void this.#writer.finish();
    return this.#takeBytes();
  }

  /** What was written since: the writer counts on from there. */
  #takeBytes(): Uint8Array {
    const bytes = Buffer.from(this.#bytes.getBytes());
    this.#bytes.index = 0;
    return bytes;
  }
}

function columnOf(type: ColumnType, cells: Cell[]): Cell[] {
  return type === 'long' || type === 'timestamp' ? cells.map((cell) => (cell === null ? null : BigInt(cell))) : cells;
}
