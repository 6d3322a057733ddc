import { defineSource, type OptionProblem, type SourceDefinition } from 'sluice/api';
import { directoryOptions, type DirectoryOptions } from './directory-options.ts';
import { framingSettings } from './source/framing/settings.ts';
import { findProblems } from './source/framing/validate.ts';

export const directoryDefinition: SourceDefinition<typeof directoryOptions> = defineSource({
  name: 'directory',
  summary: 'Reads files that are complete when they appear, each once, then keeps, renames, moves or deletes them.',
  stability: 'experimental',
  options: directoryOptions,
  examples: [
    { title: 'A spool folder', options: { include: ['/var/spool/orders/*.csv'], on_done: 'delete' } },
    {
      title: 'Documents, each a record, put aside when they were read',
      options: { include: ['inbox/**/*.xml'], framing: 'file', on_done: 'move', move_to: 'read' },
    },
  ],
  rewinds: true,
  placement: 'host',
  ends: true,
  resources: () => [],
  validate: (options) => [...findProblems(options), ...findMoveProblems(options)],
  positions: async () => (await import('./positions/directory-tools.ts')).directoryPositionTools,
  async create(options) {
    const [{ DirectorySource }, { createNodeStorage }, { nodeFinishFiles }] = await Promise.all([
      import('./source/directory/directory-source.ts'),
      import('./source/storage.ts'),
      import('./source/directory/finish.ts'),
    ]);
    return new DirectorySource({
      include: options.include,
      exclude: options.exclude,
      follows: options.follow,
      onDone: options.on_done,
      doneSuffix: options.done_suffix,
      moveTo: options.move_to ?? null,
      framing: framingSettings(options),
      completeAfterMs: options.complete_after,
      scanMs: options.scan_interval,
      storage: createNodeStorage(),
      finishFiles: nodeFinishFiles,
    });
  },
});

function findMoveProblems({ on_done, move_to }: DirectoryOptions): readonly OptionProblem[] {
  if (on_done === 'move' && move_to === undefined)
    return [{ path: ['on_done'], message: '`on_done: move` needs `move_to`, the folder to move files to' }];
  if (on_done !== 'move' && move_to !== undefined)
    return [{ path: ['move_to'], message: '`move_to` is of use with `on_done: move` only' }];
  return [];
}
