import type { StoredDeadLetter } from '../pipeline/index.ts';
import { columns } from './columns.ts';
import type { CliIo } from './io.ts';
import { grouped } from './numbers.ts';
import { printable } from './printable.ts';
import { isoTime, timeText } from './time-text.ts';

/** Dead letters of one cause. */
interface Cause {
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
export class DeadLetterCauses {
  readonly #causes = new Map<string, Cause>();

  get first(): Cause | undefined {
    return this.#causes.values().next().value;
  }

  get records(): number {
    return [...this.#causes.values()].reduce((sum, { records }) => sum + records, 0);
  }

  add(pipeline: string, letter: StoredDeadLetter): void {
    const { code, stage, leg, lastAt, isParked: parked } = letter;
    const { topic } = letter.stored;
    const key = JSON.stringify([topic, code, stage, leg]);
    const cause = this.#causes.get(key) ?? { pipeline, topic, parked, code, stage, leg, records: 0, lastAt };
    cause.records++;
    cause.lastAt = Math.max(cause.lastAt, lastAt);
    this.#causes.set(key, cause);
  }

  /** For `--json`. */
  objects(): object[] {
    return Array.from(this.#causes.values(), ({ lastAt, ...cause }) => ({ ...cause, last_at: isoTime(lastAt) }));
  }

  table({ stdout }: CliIo): readonly string[] {
    const causes = [...this.#causes.values()];
    const areParked = causes.some(({ parked }) => parked);
    const rows = causes.map(({ pipeline, code, stage, leg, records, lastAt, parked }) => {
      const cells = [pipeline, code, stage, leg, grouped(records), timeText(lastAt, stdout)];
      return (areParked ? [...cells, parked ? 'parked' : ''] : cells).map(printable);
    });
    return columns(
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
  }
}
