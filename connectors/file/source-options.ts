import { duration, glob, Type, type Static } from 'sluice/api';
import { framingOptions } from './source/framing/options.ts';

export const sourceOptions = Type.Object(
  {
    include: Type.Array(
      glob({ description: 'A pattern of paths: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of folders.' }),
      {
        minItems: 1,
        description:
          'The files to read. Best a pattern that matches the names that rotation gives as well: a file is known by what it is, so it is never read twice.',
        examples: [['/var/log/nginx/*.log*']],
      },
    ),
    exclude: Type.Array(glob({ description: 'A pattern of paths that are left out.' }), {
      default: [],
      description: 'Files and folders that are left out.',
    }),
    follow: Type.Boolean({
      default: true,
      description:
        'Waits for new lines and new files. Otherwise each file is read to the end that it has at the start, and the source ends.',
    }),
    start: Type.Union([Type.Literal('beginning'), Type.Literal('end')], {
      default: 'beginning',
      description:
        'Where to begin in the files that exist when the source starts for the first time. Files that appear later are read from their beginning.',
    }),
    ...framingOptions,
    ignore_older: Type.Optional(
      duration({
        minimum: '1s',
        description: 'Leaves out unknown files that were last written longer ago, until they are written again.',
      }),
    ),
    poll_interval: duration({
      default: '250ms',
      minimum: '10ms',
      maximum: '1m',
      description:
        'How often open files are looked at, less often while they stay as they are. Events of the file system make it quicker.',
    }),
    scan_interval: duration({
      default: '1s',
      minimum: '10ms',
      maximum: '1h',
      description: 'How often the folders are searched for new, renamed and changed files.',
    }),
    watch: Type.Boolean({
      default: true,
      description:
        'Listens to events of the file system, to be quicker than the intervals. Off for network file systems, which send none.',
    }),
    rotate_wait: duration({
      default: '5s',
      minimum: '10ms',
      description:
        'The last line of a renamed, deleted or copied file counts as finished when nothing was written for so long, with a line feed or not.',
    }),
    close_inactive: duration({
      default: '5m',
      minimum: '1s',
      description:
        'Closes a file that did not change for so long; a deleted one then for good. It is opened again when it changes.',
    }),
    forget_after: duration({
      default: '24h',
      minimum: '1m',
      description: 'Forgets the position of a file that was not seen for so long.',
    }),
    max_open_files: Type.Integer({
      default: 512,
      minimum: 1,
      maximum: 65_536,
      description: 'File descriptors kept open. More files than that are read in turns.',
    }),
  },
  { additionalProperties: false },
);

export type SourceOptions = Static<typeof sourceOptions>;
