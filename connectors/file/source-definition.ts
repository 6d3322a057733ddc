import { defineSource, type SourceDefinition } from 'sluice/api';
import { sourceOptions } from './source-options.ts';
import { framingSettings } from './source/framing/settings.ts';
import { findProblems } from './source/framing/validate.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'file',
  summary: 'Reads lines of files, follows them through rotation, and goes on where it stopped.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'A log with its rotated files', options: { include: ['/var/log/nginx/access.log*'] } },
    {
      title: 'Only what is written from now on, in all folders below',
      options: { include: ['/srv/**/*.log'], exclude: ['/srv/**/debug.log'], start: 'end', ignore_older: '7d' },
    },
    {
      title: 'Logs of Windows in UTF-16, with the service in a header, long lines cut',
      options: {
        include: ['/srv/logs/**/*.log'],
        encoding: 'utf-16le',
        path_fields: '/srv/logs/{service}/*.log',
        max_line: '64KiB',
        on_long_line: 'truncate',
      },
    },
    {
      title: 'Events that begin with a time, stack traces with them',
      options: { include: ['/srv/app/*.log*'], multiline: { start: '^\\d{4}-\\d\\d-\\d\\d ' } },
    },
    {
      title: 'A folder of documents, each a record',
      options: { include: ['/srv/inbox/*.xml'], framing: 'file', complete_after: '10s' },
    },
    { title: 'Read once and end', options: { include: ['import/*.ndjson'], follow: false } },
  ],
  rewinds: true,
  placement: 'host',
  ends: true,
  resources: () => [],
  validate: findProblems,
  positions: async () => (await import('./positions/tools.ts')).positionTools,
  async create(options) {
    const [{ FileSource }, { createNodeStorage }, { watchFolders }] = await Promise.all([
      import('./source.ts'),
      import('./source/storage.ts'),
      import('./source/watch-folders.ts'),
    ]);
    return new FileSource({
      include: options.include,
      exclude: options.exclude,
      follows: options.follow,
      start: options.start,
      framing: framingSettings(options),
      ignoreOlderMs: options.ignore_older ?? Infinity,
      pollMs: options.poll_interval,
      scanMs: options.scan_interval,
      rotateWaitMs: options.rotate_wait,
      closeInactiveMs: options.close_inactive,
      forgetAfterMs: options.forget_after,
      copyWaitMs: 5000,
      archiveSettleMs: 1000,
      archiveWaitMs: 60_000,
      maxOpenFiles: options.max_open_files,
      storage: createNodeStorage(),
      watchFolders: options.watch ? watchFolders : null,
    });
  },
});
