import { duration, size, Type } from 'sluice/api';

/** How files become records. */
export const framingOptions = {
  framing: Type.Union([Type.Literal('lines'), Type.Literal('nul'), Type.Literal('length'), Type.Literal('file')], {
    default: 'lines',
    description:
      'How records are told apart: by line feeds, by NUL bytes, by a length before each, or a whole file is one, once it is complete.',
  }),
  length_bytes: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)], {
    default: 4,
    description: 'With `framing: length`: how many bytes the length has. It does not count itself.',
  }),
  byte_order: Type.Union([Type.Literal('big'), Type.Literal('little')], {
    default: 'big',
    description: 'With `framing: length`: which of its bytes comes first.',
  }),
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
    Type.String({
      minLength: 1,
      maxLength: 4096,
      description:
        'A pattern of absolute paths whose named parts become headers: `/var/log/{service}/{host}.log*`. A named part and `*` stay within a folder, `**` does not. Paths that do not look like it give none.',
    }),
  ),
  add_headers: Type.Array(Type.Union([Type.Literal('path'), Type.Literal('offset'), Type.Literal('inode')]), {
    default: [],
    uniqueItems: true,
    description:
      'Headers that say where a record stood: `file.path`, `file.offset` (the byte of the file that it begins at), `file.inode`.',
  }),
};
