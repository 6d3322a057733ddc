import { DeadLetterIndex, deadLetterTopics, type DeadLetterFilter } from '../../pipeline/index.ts';
import { viewSaved, type FolderOptions } from '../data-folder.ts';
import { DeadLetterCauses } from '../dead-letter-causes.ts';
import { configuredDeadLetters, filterFlags, Selection } from '../dead-letters.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';

export interface DlqListOptions extends FolderOptions {
  readonly pipeline?: string;
  readonly filter: DeadLetterFilter;
  readonly json: boolean;
}

/** Counts dead letters by their cause. */
export async function dlqList(options: DlqListOptions, io: CliIo): Promise<ExitCode> {
  const found = await viewSaved(options, io);
  if ('exit' in found) return found.exit;
  const causes = new DeadLetterCauses();
  try {
    const selection = Selection.of(options.filter, found.plan, io);
    if (selection === null) return EXIT.usage;
    for (const topics of deadLetterTopics(found.view, configuredDeadLetters(found.plan))) {
      if (options.pipeline !== undefined && topics.pipeline !== options.pipeline) continue;
      const index = await DeadLetterIndex.read(found.view, topics);
      for await (const letter of index.letters()) if (selection.test(letter)) causes.add(topics.pipeline, letter);
    }
    selection.tellFailures(io);
  } finally {
    await found.close();
  }
  if (options.json) await writeOut(io, jsonLine({ causes: causes.objects() }));
  else await writeOut(io, `${lines(causes, filterFlags(options.filter), io).join('\n')}\n`);
  return EXIT.done;
}

function lines(causes: DeadLetterCauses, flags: string, io: CliIo): readonly string[] {
  const { first, records } = causes;
  if (first === undefined) return ['No dead letters.'];
  const next = printable(`What they are: sluice dlq show ${first.pipeline}${flags}`);
  return [...causes.table(io), '', `${counted(records, 'dead letter')}. ${next}`];
}
