import type { LetterTest } from '../dead-letter-filter.ts';
import type { DeadLetterIndex, OffsetsByPlace } from '../dead-letter-reader.ts';
import type { StoredDeadLetter } from '../stored-dead-letter.ts';
import { judgeLetter, needsPermission, type Judgement, type JudgeOptions } from './judge-letter.ts';

/** Which dead letters a replay is about. */
export interface ReplayChoice extends JudgeOptions {
  readonly index: DeadLetterIndex;
  readonly test: LetterTest;
  /** Those that were parked, or those that were not. */
  readonly parked: boolean;
}

/** What a replay would do. */
export interface ReplaySurvey {
  /** Of all that are meant. */
  readonly records: number;
  readonly byJudgement: Readonly<Record<Judgement, number>>;
  /** Of those that would be written again. */
  readonly byLeg: readonly {
    readonly kind: 'source' | 'sink';
    readonly leg: string;
    readonly records: number;
    readonly overwrites: boolean;
  }[];
}

export async function surveyReplay(choice: ReplayChoice, from?: OffsetsByPlace): Promise<ReplaySurvey> {
  const byJudgement = { replay: 0, park: 0, 'unknown-leg': 0, cut: 0, 'other-topic': 0, ranges: 0 };
  const byLeg = new Map<string, { kind: 'source' | 'sink'; leg: string; records: number; overwrites: boolean }>();
  let records = 0;
  for await (const letter of chosenLetters(choice, from)) {
    const judgement = judgeLetter(letter, choice);
    records++;
    byJudgement[judgement]++;
    if (judgement !== 'replay') continue;
    const kind = letter.origin === null ? 'source' : 'sink';
    const overwrites = needsPermission(letter, choice.sinks);
    const key = `${kind} ${letter.leg}`;
    const entry = byLeg.get(key) ?? { kind, leg: letter.leg, records: 0, overwrites };
    entry.records++;
    byLeg.set(key, entry);
  }
  return { records, byJudgement, byLeg: [...byLeg.values()] };
}

export async function* chosenLetters(
  { index, test, parked }: ReplayChoice,
  from?: OffsetsByPlace,
): AsyncGenerator<StoredDeadLetter> {
  for await (const letter of index.letters(from)) if (letter.isParked === parked && test(letter)) yield letter;
}
