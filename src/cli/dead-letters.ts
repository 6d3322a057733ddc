import { describeError } from '../api/index.ts';
import { decoderFor } from '../codec/index.ts';
import type { HubPlan } from '../config/index.ts';
import { deadLetterTest, STAGES, type DeadLetterFilter, type LetterTest } from '../pipeline/index.ts';
import type { CliIo } from './io.ts';
import { counted } from './numbers.ts';
import { printable } from './printable.ts';

/** The pipelines with dead letters, and the topics of these. */
export function configuredDeadLetters(plan: HubPlan | null): ReadonlyMap<string, string> {
  const topics = new Map<string, string>();
  for (const { name, deadLetter } of plan?.pipelines ?? []) {
    if (deadLetter.topic !== null) topics.set(name, deadLetter.topic);
  }
  return topics;
}

/** Which dead letters a command is about. */
export class Selection {
  readonly test: LetterTest;
  #failures = 0;
  #cause: unknown;

  private constructor(filter: DeadLetterFilter, plan: HubPlan | null) {
    const json = decoderFor('json');
    this.test = deadLetterTest(filter, {
      decoder: ({ pipeline, leg, origin }) => {
        const own = plan?.pipelines.find(({ name }) => name === pipeline);
        const legs = origin === null ? own?.sources : own?.sinks;
        const decode = legs?.find(({ name }) => name === leg)?.decode ?? 'json';
        return decode === 'json' ? json : decoderFor(decode);
      },
      onFailed: (error) => {
        this.#failures++;
        this.#cause ??= error;
      },
    });
  }

  /** Says what is wrong with the filter and returns null. */
  static of(filter: DeadLetterFilter, plan: HubPlan | null, { stderr }: CliIo): Selection | null {
    const stages: readonly string[] = STAGES;
    const unknown = filter.stages?.find((stage) => !stages.includes(stage));
    try {
      if (unknown === undefined) return new Selection(filter, plan);
      stderr.write(printable(`sluice: there is no stage ${unknown}; there are: ${stages.join(', ')}`) + '\n');
    } catch (error) {
      stderr.write(printable(`sluice: --where: ${describeError(error)}`) + '\n');
    }
    return null;
  }

  /** Says for how many the condition could not be evaluated. */
  tellFailures({ stderr }: CliIo): void {
    if (this.#failures === 0) return;
    const left = `${counted(this.#failures, 'dead letter')} left out: --where cannot be asked about them`;
    stderr.write(printable(`sluice: ${left}, as in: ${describeError(this.#cause)}`) + '\n');
  }
}

/** The flags that a filter came from, for a command line that is to be about the same dead letters. */
export function filterFlags(filter: DeadLetterFilter): string {
  const { codes, stages, source, sink, sinceMs, untilMs, where } = filter;
  const flags = [
    ['--code', codes?.join(',')],
    ['--stage', stages?.join(',')],
    ['--source', source],
    ['--sink', sink],
    ['--since', sinceMs === undefined ? undefined : new Date(sinceMs).toISOString()],
    ['--until', untilMs === undefined ? undefined : new Date(untilMs).toISOString()],
    ['--where', where === undefined ? undefined : `'${where}'`],
  ] as const;
  return flags.flatMap(([name, value]) => (value === undefined ? [] : ` ${name} ${value}`)).join('');
}
