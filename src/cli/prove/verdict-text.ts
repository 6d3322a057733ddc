import { columns } from '../columns.ts';
import { counted, grouped, timeSpan } from '../numbers.ts';
import type { SinkVerdict } from './judge.ts';
import type { Course } from './run-trial.ts';

export interface TrialReport {
  readonly pipeline: string;
  readonly seed: number;
  /** The command line of the same trial. */
  readonly again: string;
  readonly network: ReadonlyMap<string, number>;
  readonly course: Course;
  readonly verdicts: readonly SinkVerdict[];
}

/** The ledger for people: what was done, what became of the probes at each sink, and the conclusion. */
export function verdictLines({ pipeline, again, network, course, verdicts }: TrialReport): readonly string[] {
  const { ends, recoveries } = course;
  const hurt = [...network].map(([name, times]) => `${name} ${grouped(times)} ×`);
  const head = [
    ['sink', 'left'],
    ['sent', 'right'],
    ['delivered', 'right'],
    ['dead', 'right'],
    ['lost', 'right'],
    ['twice', 'right'],
    ['out of order', 'right'],
    ['promise', 'left'],
  ] as const;
  const rows = verdicts.map((verdict) => rowOf(verdict));
  const broken = verdicts.flatMap((verdict) => brokenLines(verdict));
  const unjudged = verdicts.flatMap(({ sink, unjudged: why }) => (why === null ? [] : [`${sink}: not judged, ${why}`]));
  return [
    `${counted(ends.length, 'end')} of its process${hurt.length === 0 ? '' : `; ${hurt.join(', ')}`}`,
    ...(recoveries.length === 0 ? [] : [recoveryLine(recoveries)]),
    '',
    ...columns(head, rows),
    '',
    ...broken,
    ...unjudged,
    conclusion(pipeline, verdicts),
    `The same again: ${again}`,
  ];
}

/** The same for programs. */
export function verdictObject({ pipeline, seed, again, network, course, verdicts }: TrialReport): object {
  const { ends, recoveries } = course;
  return {
    pipeline,
    ok: verdicts.every(({ broken }) => broken.length === 0) && verdicts.some(({ unjudged }) => unjudged === null),
    seed,
    again,
    ends,
    recovery_ms: recoveries.map(Math.round),
    network: Object.fromEntries(network),
    sinks: verdicts.map(({ deadLettered, ...verdict }) => ({ ...verdict, dead_lettered: deadLettered })),
  };
}

function rowOf({ unjudged, expected, delivered, lost, duplicated, reordered, ...rest }: SinkVerdict): string[] {
  const { sink, deadLettered, promise } = rest;
  const numbers = [expected + deadLettered, delivered, deadLettered, lost, duplicated, reordered];
  return [sink, ...(unjudged === null ? numbers.map(grouped) : numbers.map(() => '–')), promise];
}

function brokenLines({ sink, broken, missing }: SinkVerdict): readonly string[] {
  const some = missing.length === 0 ? '' : ` (the first numbers: ${missing.join(', ')})`;
  return broken.map((what) => `BROKEN ${sink}: ${what}${what.endsWith('lost') ? some : ''}`);
}

function recoveryLine(recoveries: readonly number[]): string {
  const sorted = [...recoveries].sort((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)]!;
  return `from a start to the first delivered record: ${timeSpan(middle)}, ${timeSpan(sorted.at(-1)!)} at the most`;
}

function conclusion(pipeline: string, verdicts: readonly SinkVerdict[]): string {
  const judged = verdicts.filter(({ unjudged }) => unjudged === null);
  if (judged.length === 0) return `Nothing of ${pipeline} could be judged.`;
  const broken = judged.filter((verdict) => verdict.broken.length > 0);
  if (broken.length > 0) return `${pipeline} does NOT keep its promises: ${broken.map(({ sink }) => sink).join(', ')}.`;
  const dead = judged.reduce((sum, { deadLettered }) => sum + deadLettered, 0);
  const letters =
    dead === 0
      ? ''
      : ` ${counted(dead, 'probe')} became dead letters; --sample gives them fields that your expressions know.`;
  return `${pipeline} keeps its promises.${letters}`;
}
