import { deadLetterTopics, readDeadLetters, type StoredDeadLetter } from '../../pipeline/index.ts';
import { columns } from '../columns.ts';
import { viewSaved, type FolderOptions } from '../data-folder.ts';
import { configuredDeadLetters } from '../dead-letters.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted, grouped } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { isoTime, timeText } from '../time-text.ts';
import { writeOut } from '../write-out.ts';

export interface DlqListOptions extends FolderOptions {
  readonly pipeline?: string;
  readonly json: boolean;
}

/** Dead letters of one cause. */
interface Group {
  readonly pipeline: string;
  readonly topic: string;
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
    for (const { pipeline, topic } of deadLetterTopics(found.view, configuredDeadLetters(found.plan))) {
      if (options.pipeline !== undefined && pipeline !== options.pipeline) continue;
      for await (const letter of readDeadLetters(found.view, topic)) count(groups, pipeline, topic, letter);
    }
  } finally {
    await found.close();
  }
  const all = [...groups.values()];
  if (options.json) {
    const causes = all.map(({ lastAt, ...group }) => ({ ...group, last_at: isoTime(lastAt) }));
    await writeOut(io, jsonLine({ causes }));
  } else await writeOut(io, `${lines(all, io).join('\n')}\n`);
  return EXIT.done;
}

function count(groups: Map<string, Group>, pipeline: string, topic: string, letter: StoredDeadLetter): void {
  const { code, stage, leg, lastAt } = letter;
  const key = JSON.stringify([topic, code, stage, leg]);
  const group = groups.get(key) ?? { pipeline, topic, code, stage, leg, records: 0, lastAt };
  group.records++;
  group.lastAt = Math.max(group.lastAt, lastAt);
  groups.set(key, group);
}

function lines(groups: readonly Group[], { stdout }: CliIo): readonly string[] {
  if (groups.length === 0) return ['No dead letters.'];
  const rows = groups.map(({ pipeline, code, stage, leg, records, lastAt }) =>
    [pipeline, code, stage, leg, grouped(records), timeText(lastAt, stdout)].map(printable),
  );
  const table = columns(
    [
      ['pipeline', 'left'],
      ['code', 'left'],
      ['stage', 'left'],
      ['leg', 'left'],
      ['records', 'right'],
      ['last', 'left'],
    ],
    rows,
  );
  const total = groups.reduce((sum, { records }) => sum + records, 0);
  return [...table, '', `${counted(total, 'dead letter')}. What they are: sluice dlq show ${groups[0]!.pipeline}`];
}
