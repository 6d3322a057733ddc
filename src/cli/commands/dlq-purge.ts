import { DeadLetterIndex, keepOthers, planPurge, type DeadLetterFilter, type PurgePlan } from '../../pipeline/index.ts';
import { audited } from '../audit.ts';
import { DeadLetterCauses } from '../dead-letter-causes.ts';
import { withDeadLetters, type DeadLetterCommandOptions, type DeadLetterSetting } from '../dead-letter-command.ts';
import { filterFlags, Selection } from '../dead-letters.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { forgetReplays } from '../replay-progress.ts';
import { writeOut } from '../write-out.ts';

export interface DlqPurgeOptions extends Omit<DeadLetterCommandOptions, 'dryRun'> {
  readonly filter: DeadLetterFilter;
  /** Only those that were parked. */
  readonly parked: boolean;
  readonly execute: boolean;
  readonly json: boolean;
}

/** Gives dead letters up for good. A topic loses only its beginning, so what is kept is written behind its end before. */
export function dlqPurge(options: DlqPurgeOptions, io: CliIo): Promise<ExitCode> {
  const { filter, parked, execute, json } = options;
  return withDeadLetters({ ...options, dryRun: !execute }, io, async (setting) => {
    const { plan, pipeline, view, topics } = setting;
    const selection = Selection.of(filter, plan, io);
    if (selection === null) return EXIT.usage;
    const causes = new DeadLetterCauses();
    if (topics !== null) {
      const index = await DeadLetterIndex.read(view, topics);
      const chosen = await planPurge(
        index,
        (letter) => (letter.isParked || !parked) && selection.test(letter),
        (letter) => {
          causes.add(pipeline.name, letter);
        },
      );
      selection.tellFailures(io);
      if (execute && causes.records > 0) {
        const what = { pipeline: pipeline.name, filter, parked, causes: causes.objects() };
        await audited({ dataDir: plan.dataDir, name: 'dlq-audit.jsonl' }, { command: 'purge', what }, () =>
          purge(setting, index, chosen),
        );
      }
    }
    if (json) await writeOut(io, jsonLine({ executed: execute, causes: causes.objects() }));
    else await writeOut(io, `${lines(causes, options, io).join('\n')}\n`);
    return EXIT.done;
  });
}

async function purge(
  { plan, pipeline, view, topics, log }: DeadLetterSetting,
  index: DeadLetterIndex,
  chosen: PurgePlan,
): Promise<void> {
  const writable = await log!.open(pipeline, { parks: topics!.parked !== null });
  try {
    for (const place of chosen.places) {
      const { topic, partition } = place;
      const before = view.topics.find(({ name }) => name === topic)!.ends[partition]!;
      const write = (): Promise<void> =>
        keepOthers(index, chosen, { place, topicLog: writable.topicLog, compression: pipeline.topic.compression });
      await writable.cut(topic, partition, { before, write });
    }
  } finally {
    await writable.close();
  }
  await forgetReplays(plan.dataDir, pipeline.name);
}

function lines(causes: DeadLetterCauses, { pipeline, filter, parked, execute }: DlqPurgeOptions, io: CliIo): string[] {
  const { records } = causes;
  if (records === 0) return [printable(`No such dead letters of ${pipeline}.`)];
  const again = printable(`sluice dlq purge ${pipeline}${filterFlags(filter)}${parked ? ' --parked' : ''} --execute`);
  const what = counted(records, 'dead letter');
  const end = execute ? `${what} purged.` : `${what} would be gone for good. This was a dry run. Do it: ${again}`;
  return [...causes.table(io), '', end];
}
