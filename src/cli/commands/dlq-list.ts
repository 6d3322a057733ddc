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
import { counted, grouped } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { isoTime, timeText } from '../time-text.ts';
import { writeOut } from '../write-out.ts';

export interface DlqListOptions extends FolderOptions {
  readonly pipeline?: string;
  readonly filter: DeadLetterFilter;
  readonly json: boolean;
}

/** Dead letters of one cause. */
interface Group {
  readonly pipeline: string;
  readonly topic: string;
  readonly parked: boolean;
  readonly code: string;
  readonly stage: string;
  readonly leg: string;
  records: number;
  /** Milliseconds since the epoch. */
  lastAt: number;
}

/** Counts dead letters by their cause. */
export async function dlqList(options: DlqListOptions, io: CliIo): Promise<ExitCode> {
  const found = await viewSaved(options, io);
  if ('exit' in found) return found.exit;
  const groups = new Map<string, Group>();
  try {
    const selection = Selection.of(options.filter, found.plan, io);
    if (selection === null) return EXIT.usage;
    for (const topics of deadLetterTopics(found.view, configuredDeadLetters(found.plan))) {
      if (options.pipeline !== undefined && topics.pipeline !== options.pipeline) continue;
      const index = await DeadLetterIndex.read(found.view, topics);
      for await (const letter of index.letters()) if (selection.test(letter)) count(groups, topics.pipeline, letter);
    }
    selection.tellFailures(io);
  } finally {
    await found.close();
  }
  const all = [...groups.values()];
  if (options.json) {
    const causes = all.map(({ lastAt, ...group }) => ({ ...group, last_at: isoTime(lastAt) }));
    await writeOut(io, jsonLine({ causes }));
  } else await writeOut(io, `${lines(all, filterFlags(options.filter), io).join('\n')}\n`);
  return EXIT.done;
}

function count(groups: Map<string, Group>, pipeline: string, letter: StoredDeadLetter): void {
  const { code, stage, leg, lastAt } = letter;
  const { topic } = letter.stored;
  const parked = letter.isParked;
  const key = JSON.stringify([topic, code, stage, leg]);
  const group = groups.get(key) ?? { pipeline, topic, parked, code, stage, leg, records: 0, lastAt };
  group.records++;
  group.lastAt = Math.max(group.lastAt, lastAt);
  groups.set(key, group);
}

function lines(groups: readonly Group[], flags: string, { stdout }: CliIo): readonly string[] {
  if (groups.length === 0) return ['No dead letters.'];
  const areParked = groups.some(({ parked }) => parked);
  const rows = groups.map(({ pipeline, code, stage, leg, records, lastAt, parked }) => {
    const cells = [pipeline, code, stage, leg, grouped(records), timeText(lastAt, stdout)];
    return (areParked ? [...cells, parked ? 'parked' : ''] : cells).map(printable);
  });
  const table = columns(
    [
      ['pipeline', 'left'],
      ['code', 'left'],
      ['stage', 'left'],
      ['leg', 'left'],
      ['records', 'right'],
      ['last', 'left'],
      ...(areParked ? ([['', 'left']] as const) : []),
    ],
    rows,
  );
  const total = groups.reduce((sum, { records }) => sum + records, 0);
  return [
    ...table,
    '',
    `${counted(total, 'dead letter')}. What they are: sluice dlq show ${groups[0]!.pipeline}${flags}`,
  ];
}
