import { readFile } from 'node:fs/promises';
import { SluiceError } from 'sluice/api';
import type { SinkOptions } from '../../sink-options.ts';
import { gzipBy, CompressedLines, zstdBy } from './compressed-lines.ts';
import type { Content } from './content.ts';
import type { AvroCodec } from './avro.ts';
import type { ParquetCodec } from './parquet.ts';

type Compression = NonNullable<SinkOptions['compression']>;

const avroCodecs: Partial<Record<Compression, AvroCodec>> = { none: 'null', gzip: 'deflate', zstd: 'zstandard' };
const parquetCodecs: Record<Compression, ParquetCodec> = {
  none: 'UNCOMPRESSED',
  snappy: 'SNAPPY',
  gzip: 'GZIP',
  zstd: 'ZSTD',
};

/** The format that the options ask for; what it is made of is loaded now. */
export async function openContent(options: SinkOptions): Promise<Content> {
  const { format, columns, compression, compression_level: level } = options;
  switch (format) {
    case 'raw':
    case 'ndjson':
      return lines(format, compression, level);
    case 'csv': {
      const { csvContent } = await import('./csv.ts');
      const { delimiter, header, escape_formulas: escapeFormulas } = options.csv;
      return csvContent({ columns, delimiter, header, escapeFormulas, ...streamOf(compression, level) });
    }
    case 'avro': {
      const { avroContent } = await import('./avro.ts');
      const schema = options.schema === undefined ? columns : await readSchema(options.schema);
      return avroContent({ schema, codec: avroCodecs[compression ?? 'none'] ?? 'null', level });
    }
    case 'parquet': {
      const { parquetContent } = await import('./parquet.ts').catch(missingWriter);
      return parquetContent({ columns, codec: parquetCodecs[compression ?? 'snappy'], level });
    }
  }
}

function lines(format: 'raw' | 'ndjson', compression: Compression | undefined, level: number | undefined): Content {
  const { ending, compress } = streamOf(compression, level);
  return {
    kind: 'lines',
    isJson: format === 'ndjson',
    ending: `${format === 'ndjson' ? '.ndjson' : '.log'}${ending}`,
    begin: compress === null ? null : () => new CompressedLines(compress),
  };
}

/** Around whole files of text. */
function streamOf(compression: Compression | undefined, level: number | undefined) {
  if (compression === 'gzip') return { ending: '.gz', compress: gzipBy(level) };
  if (compression === 'zstd') return { ending: '.zst', compress: zstdBy(level) };
  return { ending: '', compress: null };
}

async function readSchema(path: string): Promise<{ text: string; path: string }> {
  try {
    return { text: await readFile(path, 'utf8'), path };
  } catch (error) {
    throw new SluiceError('SINK_BLOCKED', `reading Avro schema "${path}"`, { cause: error });
  }
}

function missingWriter(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const remedy = 'the optional package "hyparquet-writer" is not installed; run: npm install hyparquet-writer';
  throw new SluiceError('SINK_BLOCKED', `writing Parquet: ${remedy}`, { cause: error });
}
