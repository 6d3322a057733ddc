import { defineSink, type SinkDefinition } from 'sluice/api';
import { sinkOptions } from './sink-options.ts';
import { findProblems } from './sink/validate.ts';

export const sinkDefinition: SinkDefinition<typeof sinkOptions> = defineSink({
  name: 'file',
  summary: 'Writes records into files of lines, CSV, Avro or Parquet, each in exactly one published file.',
  stability: 'stable',
  options: sinkOptions,
  examples: [
    { title: 'One folder', options: { path: 'out' } },
    {
      title: 'A folder per host and day, hourly files of JSON',
      options: {
        path: "archive/{{ value.host }}/{{ formatTime(timestamp, 'yyyy-MM-dd') }}",
        format: 'ndjson',
        roll: { size: '512MiB', age: '1h', idle: '10m' },
      },
    },
    {
      title: 'Parquet by the day of the event',
      options: {
        path: "lake/day={{ formatTime(timestamp(value.at), 'yyyy-MM-dd') }}",
        format: 'parquet',
        columns: [
          { name: 'at', type: 'timestamp', required: true },
          { name: 'host' },
          { name: 'bytes', type: 'long' },
          { name: 'offset', type: 'long', from: 'offset' },
        ],
        compression: 'zstd',
        roll: { age: '15m', idle: '5m' },
      },
    },
    {
      title: 'Compressed lines',
      options: { path: 'archive', format: 'ndjson', compression: 'gzip', compression_level: 1, roll: { age: '1h' } },
    },
  ],
  order: 'partition',
  promise: 'exactly-once',
  holes: ({ format }) => (format === 'raw' ? ['a value with line feeds in it takes as many lines'] : []),
  validate: findProblems,
  resources: ({ path }) => [`folder ${folderOf(path)}`],
  async check({ path }) {
    const { checkFolder } = await import('./sink/check-folder.ts');
    await checkFolder(path.prefix);
  },
  async create(options, context) {
    const [{ FileSink }, { nodeStorage }, { openContent }] = await Promise.all([
      import('./sink.ts'),
      import('./sink/storage.ts'),
      import('./sink/content/open-content.ts'),
    ]);
    const { size, age, idle, records = Infinity } = options.roll;
    const settings = {
      path: options.path,
      content: await openContent(options),
      roll: { size, age, idle, records },
      maxOpenFiles: options.max_open_files,
    };
    return new FileSink(settings, context, nodeStorage);
  },
});

/** Two sinks may not share a folder. Before the pipeline runs a template is still text. */
function folderOf(path: { readonly prefix: string } | string): string {
  if (typeof path !== 'string') return path.prefix;
  const literal = path.split('{{')[0]!;
  return literal === path ? path : literal.slice(0, literal.lastIndexOf('/'));
}
