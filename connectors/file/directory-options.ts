import { duration, glob, path, Type, type Static } from 'sluice/api';
import { framingOptions } from './source/framing/options.ts';

export const directoryOptions = Type.Object(
  {
    include: Type.Array(
      glob({ description: 'A pattern of paths: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of folders.' }),
      {
        minItems: 1,
        description:
          'The files to read. `*` leaves out names with a dot in front: write under such a name, then rename.',
        examples: [['/var/spool/orders/*.csv']],
      },
    ),
    exclude: Type.Array(glob({ description: 'A pattern of paths that are left out.' }), {
      default: [],
      description: 'Files and folders that are left out.',
    }),
    on_done: Type.Union([Type.Literal('keep'), Type.Literal('rename'), Type.Literal('move'), Type.Literal('delete')], {
      default: 'keep',
      description:
        'What becomes of a file once its records are durable: nothing, another name with `done_suffix` behind it, another folder (`move_to`), or it is deleted.',
    }),
    done_suffix: Type.String({
      default: '.COMPLETED',
      minLength: 1,
      maxLength: 64,
      pattern: '^[^/\\0]+$',
      description: 'With `on_done: rename`: what is put behind the name. Files with such names are not read.',
    }),
    move_to: Type.Optional(
      path({
        description: 'With `on_done: move`: the folder, which is made when it is missing. Files in it are not read.',
      }),
    ),
    ...framingOptions,
    complete_after: duration({
      default: '1s',
      minimum: '0ms',
      maximum: '1d',
      description:
        'A file is begun when it was not written for so long. When it is written after that the source stops and says so: move files here when they are complete.',
    }),
    scan_interval: duration({
      default: '1s',
      minimum: '10ms',
      maximum: '1h',
      description: 'How often the folders are searched for new files.',
    }),
    follow: Type.Boolean({
      default: true,
      description:
        'Waits for new files. Otherwise the files that are there at the start are read, and the source ends.',
    }),
  },
  { additionalProperties: false },
);

export type DirectoryOptions = Static<typeof directoryOptions>;
