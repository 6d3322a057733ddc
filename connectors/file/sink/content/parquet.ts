import { gzipSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { BlockBody, NOTHING, type Part, type RowContent } from './content.ts';
import { RowReader, type Cell, type Column } from './columns.ts';
import { zstdBy } from './compressed-lines.ts';
import { ColumnChunk, type PageCodec } from './parquet/column-chunk.ts';
import { schemaOf } from './parquet/column-types.ts';

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
    addTo: (cells, batch, index) => {
      reader.addTo(cells, batch, index);
    },
    begin: () => new ParquetBody(options),
  };
}

function codecOf({ codec, level }: ParquetOptions): PageCodec {
  const gzip = level === undefined ? {} : { level };
  const compressors: Record<ParquetCodec, PageCodec['compress']> = {
    UNCOMPRESSED: (bytes) => bytes,
    SNAPPY: snappyCompress,
    GZIP: (bytes) => gzipSync(bytes, gzip),
    ZSTD: zstdBy(level),
  };
  return { name: codec, compress: compressors[codec] };
}

/** The writer makes what is around row groups; their pages are made here, from cells as they come: that is where the time goes. */
class ParquetBody extends BlockBody {
  readonly block = 8 << 20;
  readonly #bytes = new ByteWriter(1024);
  readonly #writer: ParquetWriter;
  readonly #chunks: readonly ColumnChunk[];
  readonly #codec: PageCodec;
  #rows = 0;

  constructor(options: ParquetOptions) {
    super();
    this.#codec = codecOf(options);
    this.#chunks = options.columns.map((column) => new ColumnChunk(column));
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: schemaOf(options.columns),
      codec: options.codec,
      createdBy: 'sluice',
    });
  }

  /** Cells, record by record. */
  protected take({ rows, records, size }: Part): number {
    const columns = this.#chunks.length;
    for (const [column, chunk] of this.#chunks.entries())
      for (let at = column; at < rows.length; at += columns) chunk.add(rows[at] as Cell);
    this.#rows += records;
    return size;
  }

  protected encodeBlock(): Uint8Array {
    if (this.#rows === 0) return NOTHING;
    const start = this.#bytes.offset;
    const columns = this.#chunks.map((chunk) => chunk.write(this.#bytes, this.#codec));
    const rows = BigInt(this.#rows);
    this.#writer.num_rows += rows;
    this.#writer.row_groups.push({
      columns,
      total_byte_size: columns.reduce((sum, { meta_data: about }) => sum + about!.total_uncompressed_size, 0n),
      num_rows: rows,
      total_compressed_size: BigInt(this.#bytes.offset - start),
    });
    return this.#takeBytes();
  }

  protected clear(): void {
    for (const chunk of this.#chunks) chunk.clear();
    this.#rows = 0;
  }

  override end(): Uint8Array {
    // In memory: it writes at once.
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
