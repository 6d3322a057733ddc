import type { HubPlan } from '../../config/index.ts';
import type { SavedView } from '../../log/index.ts';
import { columns } from '../columns.ts';
import { viewSaved, type FolderOptions, type SavedState } from '../data-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted, grouped } from '../numbers.ts';
import { legFilter } from '../offsets/leg-filter.ts';
import { jsonLine, printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';

export interface OffsetsGetOptions extends FolderOptions {
  /** `PIPELINE` or `PIPELINE/LEG`; all without. */
  readonly leg?: string;
  readonly json: boolean;
}

interface SinkOffset {
  readonly pipeline: string;
  readonly sink: string;
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
  /** Null when the topic is gone or was made anew. */
  readonly end: number | null;
  readonly lag: number | null;
  readonly reset: number;
}

interface SourcePosition {
  readonly pipeline: string;
  readonly source: string;
  readonly partition: string;
  readonly position: unknown;
}

/** Prints where sinks and sources stand, as last saved. */
export async function offsetsGet(options: OffsetsGetOptions, io: CliIo): Promise<ExitCode> {
  const found = await viewSaved(options, io);
  if ('exit' in found) return found.exit;
  await found.close();
  const isWanted = legFilter(options.leg);
  const sinks = sinkOffsets(found.view).filter(({ pipeline, sink }) => isWanted(pipeline, sink));
  const sources = sourcePositions(found.view).filter(({ pipeline, source }) => isWanted(pipeline, source));
  if (options.json) {
    await writeOut(io, jsonLine({ sinks, sources }));
    return EXIT.done;
  }
  if (sinks.length + sources.length === 0) {
    io.stderr.write(`sluice: nothing is saved${options.leg === undefined ? '' : ` for ${printable(options.leg)}`}\n`);
    return options.leg === undefined ? EXIT.done : EXIT.failed;
  }
  const blocks = [sinkLines(sinks), sourceLines(sources), [summary(sinks, found)]];
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => `${lines.join('\n')}\n`);
  await writeOut(io, shown.join('\n'));
  return EXIT.done;
}

function sinkOffsets({ pipelines, topics }: SavedView): readonly SinkOffset[] {
  return pipelines.flatMap(({ pipeline, sinks }) =>
    sinks.map(({ sink, topic, incarnation, partition, next, reset }) => {
      const current = topics.find((one) => one.name === topic && one.incarnation === incarnation);
      const end = current?.ends[partition] ?? null;
      const lag = end === null ? null : Math.max(0, end - next);
      return { pipeline, sink, topic, partition, next, end, lag, reset };
    }),
  );
}

function sourcePositions({ pipelines }: SavedView): readonly SourcePosition[] {
  return pipelines.flatMap(({ pipeline, sources }) =>
    sources.map(({ source, partition, position }) => ({ pipeline, source, partition, position })),
  );
}

function sinkLines(sinks: readonly SinkOffset[]): readonly string[] {
  if (sinks.length === 0) return [];
  const number = (value: number | null): string => (value === null ? '-' : grouped(value));
  const rows = sinks.map(({ pipeline, sink, topic, partition, next, end, lag }) => [
    `${pipeline}/${sink}`,
    topic,
    String(partition),
    number(next),
    number(end),
    number(lag),
  ]);
  return columns(
    [
      ['sink', 'left'],
      ['topic', 'left'],
      ['partition', 'right'],
      ['next', 'right'],
      ['end', 'right'],
      ['lag', 'right'],
    ],
    rows.map((row) => row.map(printable)),
  );
}

function sourceLines(sources: readonly SourcePosition[]): readonly string[] {
  if (sources.length === 0) return [];
  const rows = sources.map(({ pipeline, source, partition, position }) => [
    `${pipeline}/${source}`,
    printable(partition),
    printable(shortened(JSON.stringify(position))),
  ]);
  return columns(
    [
      ['source', 'left'],
      ['partition', 'left'],
      ['position', 'left'],
    ],
    rows,
  );
}

/** `--json` has it whole. */
function shortened(position: string): string {
  return position.length > 80 ? `${position.slice(0, 80)}…` : position;
}

/** How far behind all are; and of a sink that no pipeline has any more, what it costs and how to let it go. */
function summary(sinks: readonly SinkOffset[], { plan, isKafka }: SavedState): string {
  const lag = sinks.reduce((sum, sink) => sum + (sink.lag ?? 0), 0);
  const behind = `${counted(new Set(sinks.map(({ pipeline, sink }) => `${pipeline}/${sink}`)).size, 'sink')}, ${counted(lag, 'record')} behind.`;
  const orphan = sinks.find(({ pipeline, sink }) => plan !== null && !hasSink(plan, pipeline, sink));
  if (orphan === undefined) return behind;
  const name = `${orphan.pipeline}/${orphan.sink}`;
  // Kafka keeps records whether somebody wants them or not.
  const cost = isKafka ? '' : `, and ${orphan.topic} keeps its records for it`;
  return `${behind} No pipeline has ${name}${cost}: sluice offsets forget ${name}`;
}

function hasSink(plan: HubPlan, pipeline: string, sink: string): boolean {
  const found = plan.pipelines.find(({ name }) => name === pipeline);
  return found?.sinks.some(({ name }) => name === sink) ?? false;
}
