import { duration, glob, size, Type } from 'sluice/api';
import { lengthOptions } from 'sluice/toolkit';

/** A regular expression that is matched in one pass. */
const pattern = { minLength: 1, maxLength: 4096 };

const multiline = Type.Object(
  {
    preset: Type.Optional(
      Type.Union([Type.Literal('java'), Type.Literal('python'), Type.Literal('go'), Type.Literal('node')], {
        description: 'Ready-made for the stack traces of a language, instead of patterns.',
      }),
    ),
    start: Type.Optional(
      Type.String({
        ...pattern,
        description:
          'What the first line of an event looks like: `^\\d{4}-\\d\\d-\\d\\d `. Every other line follows the one before it.',
      }),
    ),
    continue: Type.Optional(
      Type.String({
        ...pattern,
        description:
          'What a line looks like that follows the one before it: `^\\s`. Together with `start` a line begins an event when it is like `start`, or is not like this.',
      }),
    ),
    end: Type.Optional(
      Type.String({
        ...pattern,
        description: 'What the last line of an event looks like: `;$`. What comes next is another event.',
      }),
    ),
    negate: Type.Boolean({
      default: false,
      description:
        'With one of these patterns: lines count that are not like it. `end` with `\\\\$` and this joins lines that end with a backslash.',
    }),
    max_lines: Type.Integer({
      default: 1000,
      minimum: 1,
      maximum: 1_000_000,
      description: 'An event has so many lines at the most; those beyond become the next one.',
    }),
    max_bytes: Type.Optional(
      size({
        minimum: '16B',
        description:
          'An event with another line has so many bytes at the most; that line becomes the next one. The record limit when it is not given.',
      }),
    ),
    timeout: duration({
      default: '5s',
      minimum: '10ms',
      maximum: '1d',
      description: 'The last event of a file is over when nothing was written for so long.',
    }),
  },
  { additionalProperties: false, description: 'Lines that belong together become one record. With `framing: lines`.' },
);

/** How files become records. */
export const framingOptions = {
  framing: Type.Union([Type.Literal('lines'), Type.Literal('nul'), Type.Literal('length'), Type.Literal('file')], {
    default: 'lines',
    description:
      'How records are told apart: by line feeds, by NUL bytes, by a length before each, or a whole file is one, once it is complete.',
  }),
  ...lengthOptions,
  complete_after: duration({
    default: '5s',
    minimum: '10ms',
    maximum: '1d',
    description: 'With `framing: file`: a file is complete when it was not written for so long, wherever it was then.',
  }),
  encoding: Type.Union(
    [
      Type.Literal('utf-8'),
      Type.Literal('utf-16le'),
      Type.Literal('utf-16be'),
      Type.Literal('latin1'),
      Type.Literal('raw'),
    ],
    {
      default: 'utf-8',
      description:
        'What the files are written in; records are UTF-8. UTF-8 is not changed, wrong bytes neither; only a byte order mark at the beginning of a file is left out, which `raw` keeps. In UTF-16 the mark, where there is one, says the order of the bytes.',
    },
  ),
  keep_carriage_return: Type.Boolean({
    default: false,
    description: 'Keeps the carriage return of a line that ends with CR LF.',
  }),
  multiline: Type.Optional(multiline),
  max_line: Type.Optional(
    size({
      minimum: '16B',
      description: 'A longer line, or record of another framing, is too long. The record limit when it is not given.',
    }),
  ),
  on_long_line: Type.Union([Type.Literal('dead_letter'), Type.Literal('truncate'), Type.Literal('skip')], {
    default: 'dead_letter',
    description:
      'What becomes of a line that is too long: a dead letter that holds its beginning, a record that holds its beginning, with the header `file.truncated`, or nothing but a warning.',
  }),
  path_fields: Type.Optional(
    glob({
      description:
        'A pattern of paths whose named parts become headers: `/var/log/{service}/{host}.log*`. A named part and `*` stay within a folder, `**` does not. Paths that do not look like it give none.',
    }),
  ),
  add_headers: Type.Array(
    Type.Union([Type.Literal('path'), Type.Literal('offset'), Type.Literal('inode'), Type.Literal('encoding_error')]),
    {
      default: [],
      uniqueItems: true,
      description:
        'Headers that say where a record stood: `file.path`, `file.offset` (the byte of the file that it begins at), `file.inode`; with `encoding: utf-8`, `file.encoding_error` of records that are none.',
    },
  ),
};
