import {
  DeadLetterIndex,
  deadLetterTopics,
  type DeadLetterFilter,
  type StoredDeadLetter,
} from '../../pipeline/index.ts';
import { columns } from '../columns.ts';
import { viewSaved, type FolderOptions } from '../data-folder.ts';
import { configuredDeadLetters, filterFlags, Selection } from '../dead-letters.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { bytesText, counted, grouped } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { isoTime, timeText } from '../time-text.ts';
import { writeOut } from '../write-out.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface DlqStatsOptions extends FolderOptions {
  readonly pipeline?: string;
  readonly filter: DeadLetterFilter;
  readonly json: boolean;
}

/** What the dead letters of a pipeline come to. Times are milliseconds since the epoch, NaN for none. */
interface Stats {
  readonly pipeline: string;
  records: number;
  /** After a replay. */
  again: number;
  parked: number;
  /** Only their places: they were too large for the topic. */
  byReference: number;
  firstAt: number;
  lastAt: number;
  lastHour: number;
  lastDay: number;
  /** Of key, value and headers, those with the cause too. */
  bytes: number;
}

/** Sums up dead letters, a line for each pipeline. */
export async function dlqStats(options: DlqStatsOptions, io: CliIo): Promise<ExitCode> {
  const found = await viewSaved(options, io);
  if ('exit' in found) return found.exit;
  const all: Stats[] = [];
  const now = Date.now();
  try {
    const selection = Selection.of(options.filter, found.plan, io);
    if (selection === null) return EXIT.usage;
    for (const topics of deadLetterTopics(found.view, configuredDeadLetters(found.plan))) {
      if (options.pipeline !== undefined && topics.pipeline !== options.pipeline) continue;
      const stats = nothingOf(topics.pipeline);
      const index = await DeadLetterIndex.read(found.view, topics);
      for await (const letter of index.letters()) if (selection.test(letter)) add(stats, letter, now);
      if (stats.records > 0) all.push(stats);
    }
    selection.tellFailures(io);
  } finally {
    await found.close();
  }
  if (options.json) await writeOut(io, jsonLine({ pipelines: all.map(objectOf) }));
  else await writeOut(io, `${lines(all, filterFlags(options.filter), io).join('\n')}\n`);
  return EXIT.done;
}

function nothingOf(pipeline: string): Stats {
  const counts = { records: 0, again: 0, parked: 0, byReference: 0, lastHour: 0, lastDay: 0, bytes: 0 };
  return { pipeline, ...counts, firstAt: NaN, lastAt: NaN };
}

function add(
  stats: Stats,
  { hops, isParked, reference, lastAt, key, value, headers }: StoredDeadLetter,
  now: number,
): void {
  stats.records++;
  if (hops > 1) stats.again++;
  if (isParked) stats.parked++;
  if (reference !== null) stats.byReference++;
  if (!(lastAt >= stats.firstAt)) stats.firstAt = lastAt;
  if (!(lastAt <= stats.lastAt)) stats.lastAt = lastAt;
  if (now - lastAt < HOUR_MS) stats.lastHour++;
  if (now - lastAt < DAY_MS) stats.lastDay++;
  stats.bytes += (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) stats.bytes += Buffer.byteLength(name) + (content?.length ?? 0);
}

function objectOf({ byReference, firstAt, lastAt, lastHour, lastDay, again, ...stats }: Stats): object {
  return {
    ...stats,
    refused_again: again,
    by_reference: byReference,
    first_at: isoTime(firstAt),
    last_at: isoTime(lastAt),
    last_hour: lastHour,
    last_day: lastDay,
  };
}

function lines(all: readonly Stats[], flags: string, { stdout }: CliIo): readonly string[] {
  if (all.length === 0) return ['No dead letters.'];
  const table = columns(
    [
      ['pipeline', 'left'],
      ['records', 'right'],
      ['size', 'right'],
      ['last hour', 'right'],
      ['last day', 'right'],
      ['refused again', 'right'],
      ['parked', 'right'],
      ['by reference', 'right'],
      ['first', 'left'],
      ['last', 'left'],
    ],
    all.map((stats) => [
      printable(stats.pipeline),
      grouped(stats.records),
      bytesText(stats.bytes),
      ...[stats.lastHour, stats.lastDay, stats.again, stats.parked, stats.byReference].map(grouped),
      timeText(stats.firstAt, stdout),
      timeText(stats.lastAt, stdout),
    ]),
  );
  const total = all.reduce((sum, { records }) => sum + records, 0);
  const of = all.length === 1 ? ` ${all[0]!.pipeline}` : '';
  return [...table, '', printable(`${counted(total, 'dead letter')}. By cause: sluice dlq list${of}${flags}`)];
}
