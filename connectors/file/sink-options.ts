import { duration, size, template, Type } from 'sluice/api';

export const sinkOptions = Type.Object(
  {
    path: template({
      confined: 'path',
      description:
        'The folder to publish files in. A template makes subfolders of what is in the records; its first folder is literal, and nothing is written outside of it.',
      examples: ['out', "archive/{{ value.host }}/{{ formatTime(timestamp, 'yyyy-MM-dd') }}"],
    }),
    format: Type.Union([Type.Literal('raw'), Type.Literal('ndjson')], {
      default: 'raw',
      description:
        '`raw` writes each value as it is, with a line feed behind it. `ndjson` writes one JSON text a line: line feeds within a value become spaces, and a value that is not JSON is refused.',
    }),
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
