import type { Row } from './rows.ts';
import { RowAbsent, Rows, targets, type Target } from './targets.ts';

export interface Verdict {
  readonly target: Target;
  /** Null when a row that it needs is not there; `why` says which. */
  readonly figure: number | null;
  readonly limit: number | null;
  readonly word: 'met' | 'NOT MET' | 'not judged';
  readonly why: string;
}

export function judge(rows: readonly Row[]): Verdict[] {
  const all = new Rows(rows);
  return targets.map((target) => {
    try {
      const figure = target.figure(all);
      const limit = target.limit(all);
      const isMet = target.bound === 'at most' ? figure <= limit : figure >= limit;
      return { target, figure, limit, word: isMet ? 'met' : 'NOT MET', why: '' };
    } catch (error) {
      if (!(error instanceof RowAbsent)) throw error;
      return { target, figure: null, limit: null, word: 'not judged', why: error.message };
    }
  });
}

export const verdictTitles = ['target', 'measured', 'limit', 'unit', 'limit is', 'verdict'];

export function verdictCells({ target, figure, limit, word, why }: Verdict): string[] {
  const bound = target.bound === 'at most' ? '≤' : '≥';
  return [
    target.what,
    figure === null ? '-' : shown(figure),
    limit === null ? bound : `${bound} ${shown(limit)}`,
    target.unit,
    target.limitText,
    why === '' ? word : `${word}: ${why}`,
  ];
}

function shown(number: number): string {
  return number >= 1000 ? Math.round(number).toLocaleString('en-US') : number.toFixed(2);
}
