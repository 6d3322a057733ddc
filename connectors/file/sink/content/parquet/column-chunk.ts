import type { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { Cell, Column } from '../columns.ts';
import { NOTHING } from '../content.ts';
import { Bits } from './bits.ts';
import { Bounds } from './bounds.ts';
import { physicalTypes } from './column-types.ts';
import { Dictionary } from './dictionary.ts';
import { putIndexes } from './hybrid.ts';
import { Levels } from './levels.ts';
import { PlainBytes } from './plain-bytes.ts';

type ChunkMetadata = ParquetWriter['row_groups'][number]['columns'][number];
type Encoding = NonNullable<ChunkMetadata['meta_data']>['encodings'][number];

export interface PageCodec {
  readonly name: ParquetWriter['codec'];
  readonly compress: (bytes: Uint8Array) => Uint8Array;
}

/** After a dictionary that was not worth it, so many chunks go without. */
const CHUNKS_WITHOUT = 15;

interface Page {
  readonly encoding: Encoding;
  readonly values: Uint8Array;
}

/** The cells of a column within a row group: encoded as they come, and written as one page, behind its dictionary where there is one. */
export class ColumnChunk {
  readonly #column: Column;
  readonly #levels = new Levels();
  readonly #plain = new PlainBytes();
  readonly #bits = new Bits();
  readonly #bounds = new Bounds();
  readonly #dictionary = new Dictionary();
  #usesDictionary: boolean;
  #without = 0;

  constructor(column: Column) {
    this.#column = column;
    this.#usesDictionary = physicalTypes[column.type].hasDictionary;
  }

  add(cell: Cell): void {
    this.#levels.add(cell !== null);
    if (cell === null) return;
    if (this.#usesDictionary) {
      if (!this.#dictionary.add(cell)) this.#giveUpDictionary();
    } else if (typeof cell === 'boolean') this.#bits.push(cell);
    else this.#put(cell);
  }

  clear(): void {
    this.#levels.clear();
    this.#plain.clear();
    this.#bits.clear();
    this.#bounds.clear();
    this.#dictionary.clear();
    this.#without--;
    this.#usesDictionary = physicalTypes[this.#column.type].hasDictionary && this.#without <= 0;
  }

  /** Appends its pages; what the footer says of them. */
  write(writer: ByteWriter, codec: PageCodec): ChunkMetadata {
    const start = writer.offset;
    if (this.#usesDictionary && !this.#dictionary.isWorthIt) this.#giveUpDictionary();
    const dictionaryPageOffset = this.#usesDictionary ? BigInt(start) : undefined;
    const dictionaryBytes = this.#usesDictionary ? this.#writeDictionary(writer, codec) : 0;
    const dataPageOffset = BigInt(writer.offset);
    const uncompressed = dictionaryBytes + this.#writePage(writer, codec);
    const { type } = physicalTypes[this.#column.type].element;
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: type!,
        encodings: this.#usesDictionary ? ['PLAIN', 'RLE_DICTIONARY'] : ['PLAIN'],
        path_in_schema: [this.#column.name],
        codec: codec.name,
        num_values: BigInt(this.#levels.rows),
        total_compressed_size: BigInt(writer.offset - start),
        total_uncompressed_size: BigInt(uncompressed),
        data_page_offset: dataPageOffset,
        ...(dictionaryPageOffset === undefined ? {} : { dictionary_page_offset: dictionaryPageOffset }),
        statistics: { null_count: BigInt(this.#levels.nulls), ...this.#boundsOfBytes() },
      },
    };
  }

  #put(cell: Exclude<Cell, null>): void {
    this.#bounds.add(cell);
    physicalTypes[this.#column.type].put(this.#plain, cell);
  }

  #giveUpDictionary(): void {
    const { values, indexes } = this.#dictionary;
    for (const index of indexes) this.#put(values[index]!);
    this.#dictionary.clear();
    this.#usesDictionary = false;
    this.#without = CHUNKS_WITHOUT;
  }

  /** Readers compare texts by their bytes. Strings beyond ASCII may have another order, and bounds may be left out. */
  #boundsOfBytes(): Bounds['values'] {
    return this.#plain.isAscii ? this.#bounds.values : {};
  }

  /** Both return how many bytes that were before they were compressed. */
  #writeDictionary(writer: ByteWriter, { compress }: PageCodec): number {
    const { values } = this.#dictionary;
    for (const value of values) this.#put(value!);
    const { bytes } = this.#plain;
    const compressed = compress(bytes);
    const start = writer.offset;
    writePageHeader(writer, {
      type: 'DICTIONARY_PAGE',
      uncompressed_page_size: bytes.length,
      compressed_page_size: compressed.length,
      dictionary_page_header: { num_values: values.length, encoding: 'PLAIN' },
    });
    const headerBytes = writer.offset - start;
    writer.appendBytes(compressed);
    return headerBytes + bytes.length;
  }

  #writePage(writer: ByteWriter, { compress }: PageCodec): number {
    const { rows, nulls } = this.#levels;
    const levels = this.#column.required ? NOTHING : this.#levels.encode();
    const { encoding, values } = this.#page();
    const compressed = compress(values);
    const start = writer.offset;
    writePageHeader(writer, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: levels.length + values.length,
      compressed_page_size: levels.length + compressed.length,
      data_page_header_v2: {
        num_values: rows,
        num_nulls: nulls,
        num_rows: rows,
        encoding,
        definition_levels_byte_length: levels.length,
        repetition_levels_byte_length: 0,
        is_compressed: true,
      },
    });
    const headerBytes = writer.offset - start;
    writer.appendBytes(levels);
    writer.appendBytes(compressed);
    return headerBytes + levels.length + values.length;
  }

  #page(): Page {
    if (this.#column.type === 'boolean') return { encoding: 'PLAIN', values: this.#bits.bytes };
    if (!this.#usesDictionary) return { encoding: 'PLAIN', values: this.#plain.bytes };
    const { indexes, values } = this.#dictionary;
    const bytes = new PlainBytes();
    putIndexes(bytes, indexes, { size: values.length });
    return { encoding: 'RLE_DICTIONARY', values: bytes.bytes };
  }
}
