import { duration, path, size, template, Type, type Static } from 'sluice/api';
import { columnSource, columnTypes } from './sink/content/columns.ts';

const column = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 256, description: 'Its name in the file.' }),
    type: Type.Union(
      columnTypes.map((type) => Type.Literal(type)),
      {
        default: 'string',
        description:
          'What its cells are. `string` takes anything as text, `json` as JSON text; `int` has 32 bits, `long` 64 (beyond 2^53 as digits in a string); `timestamp` is ISO 8601 or milliseconds since the epoch. A record with another value in it is refused.',
      },
    ),
    from: Type.Optional(
      Type.String({
        pattern: columnSource.source,
        description:
          'What is in it: `value.a.b`, `value`, `key`, `timestamp`, `headers.name`, `topic`, `partition` or `offset`; the field of the value that has its name when unset.',
      }),
    ),
    required: Type.Boolean({ default: false, description: 'Refuses records that have nothing for it.' }),
  },
  { additionalProperties: false },
);

export const sinkOptions = Type.Object(
  {
    path: template({
      confined: 'path',
      description:
        'The folder to publish files in. A template makes subfolders of what is in the records; its first folder is literal, and nothing is written outside of it.',
      examples: ['out', "archive/{{ value.host }}/{{ formatTime(timestamp, 'yyyy-MM-dd') }}"],
    }),
    format: Type.Union(
      [Type.Literal('raw'), Type.Literal('ndjson'), Type.Literal('csv'), Type.Literal('avro'), Type.Literal('parquet')],
      {
        default: 'raw',
        description:
          '`raw` writes each value as it is, with a line feed behind it. `ndjson` writes one JSON text a line: line feeds within a value become spaces, and a value that is not JSON is refused. `csv`, `avro` (object container files) and `parquet` write `columns`.',
      },
    ),
    columns: Type.Array(column, {
      default: [],
      maxItems: 2000,
      description: 'The columns of `csv`, `parquet` and, without a `schema`, `avro`.',
      examples: [[{ name: 'at', type: 'timestamp', required: true }, { name: 'host' }, { name: 'ms', type: 'double' }]],
    }),
    schema: Type.Optional(
      path({
        description:
          'A file with the Avro schema (JSON) of the values. A value of a union stands there without the name of its type.',
      }),
    ),
    csv: Type.Object(
      {
        delimiter: Type.String({ default: ',', minLength: 1, maxLength: 1, description: 'Between two cells.' }),
        header: Type.Boolean({ default: true, description: 'Names the columns in the first line of each file.' }),
        escape_formulas: Type.Boolean({
          default: false,
          description:
            'Puts a single quote before cells that begin with `=`, `+`, `-` or `@`, which spreadsheets would run as formulas.',
        }),
      },
      { additionalProperties: false, default: {}, description: 'How `csv` is written.' },
    ),
    compression: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Literal('gzip'), Type.Literal('zstd'), Type.Literal('snappy')], {
        description:
          'Of whole files of lines (`.gz`, `.zst`), of the blocks of `avro` (deflate, zstandard) and the pages of `parquet`, which takes `snappy` when unset.',
      }),
    ),
    compression_level: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 19,
        description: 'Of gzip (1 to 9) or zstd (1 to 19): more is smaller and slower.',
      }),
    ),
    roll: Type.Object(
      {
        size: size({
          default: '128MiB',
          minimum: '1KiB',
          description: 'A file is published when it has grown to this.',
        }),
        age: duration({
          default: '60s',
          minimum: '10ms',
          description: 'Files are published at the latest so long after their first record.',
        }),
        idle: duration({
          default: '2s',
          minimum: '10ms',
          description: 'Files are published when nothing came for so long.',
        }),
        records: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'Files of a partition are published when they have so many records together.',
          }),
        ),
      },
      {
        additionalProperties: false,
        default: {},
        description:
          'When files are closed and published; whatever comes first. The files of a partition always are together.',
      },
    ),
    max_open_files: Type.Integer({
      default: 128,
      minimum: 1,
      maximum: 65_536,
      description: 'File descriptors kept open; a template with more values works too, only slower.',
    }),
  },
  { additionalProperties: false },
);

export type SinkOptions = Static<typeof sinkOptions>;
