import { Option, type Command } from 'commander';
import type { DeadLetterFilter } from '../../pipeline/index.ts';
import { moment, type Moment } from './moment.ts';

/** What the flags of `withDeadLetterFilter` come to. */
export interface FilterFlags {
  readonly code?: readonly string[];
  readonly stage?: readonly string[];
  readonly source?: string;
  readonly sink?: string;
  readonly since?: Moment;
  readonly until?: Moment;
  readonly where?: string;
}

/** The options of every command that can be about some dead letters only. */
export function withDeadLetterFilter(command: Command): Command {
  return command
    .addOption(new Option('--code <codes>', 'refused with one of these, such as SINK_REJECTED').argParser(names))
    .addOption(
      new Option('--stage <stages>', 'refused in one of these: source, decode, key, where, template, write').argParser(
        names,
      ),
    )
    .option('--sink <name>', 'refused by this sink')
    .addOption(new Option('--source <name>', 'refused by this source').conflicts('sink'))
    .addOption(new Option('--since <time>', 'refused then or later: a time, or 2h for so long ago').argParser(moment))
    .addOption(new Option('--until <time>', 'refused before then').argParser(moment))
    .option('--where <expression>', 'of records for which it is true, as in value.status == 500');
}

export function filterOf({ code, stage, source, sink, since, until, where }: FilterFlags): DeadLetterFilter {
  return {
    ...(code === undefined ? {} : { codes: code }),
    ...(stage === undefined ? {} : { stages: stage }),
    ...(source === undefined ? {} : { source }),
    ...(sink === undefined ? {} : { sink }),
    ...(since === undefined ? {} : { sinceMs: since.ms }),
    ...(until === undefined ? {} : { untilMs: until.ms }),
    ...(where === undefined ? {} : { where }),
  };
}

/** The flags as they were given: times back stay what they are from one call to the next. */
export function givenFilter({ code, stage, source, sink, since, until, where }: FilterFlags): object {
  return { code, stage, source, sink, since: since?.text, until: until?.text, where };
}

/** `A,B` or given several times. */
function names(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((name) => name !== '')];
}
