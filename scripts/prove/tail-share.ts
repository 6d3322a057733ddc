import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../src/testing/index.ts';
import { runTailSequence } from '../../test/connectors/file/support/tail-model.ts';

const AT_ONCE = 8;

/** What some sequences came to. */
export interface TailSum {
  written: number;
  rows: number;
  inNeither: number;
  lost: number;
  duplicated: number;
  lives: number;
  rotations: number;
  compressed: number;
  readonly problems: string[];
}

export async function runTailShare(
  folder: string,
  { seed, sequences }: { readonly seed: number; readonly sequences: number },
): Promise<TailSum> {
  const counts = { written: 0, rows: 0, inNeither: 0, lost: 0, duplicated: 0, lives: 0, rotations: 0, compressed: 0 };
  const sum: TailSum = { ...counts, problems: [] };
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < sequences) {
      const own = seed + next++;
      const place = join(folder, String(own));
      const verdict = await runTailSequence(place, seededRandom(own));
      const { lost, duplicated, strange, reordered, steps } = verdict;
      const count = (...names: string[]): number => steps.filter((step) => names.includes(step)).length;
      sum.written += verdict.written;
      sum.rows += verdict.rows;
      sum.inNeither += verdict.inNeither;
      sum.lost += lost.length;
      sum.duplicated += duplicated.length;
      sum.lives += count('start');
      sum.rotations += count('rename', 'truncate', 'empty');
      sum.compressed += count('compressed');
      const isRight = verdict.rows + verdict.inNeither === verdict.written;
      if (isRight && lost.length + duplicated.length + strange.length + reordered === 0) {
        await rm(place, { recursive: true });
      } else {
        sum.problems.push(
          `seed ${own}: lost ${lost.length}, duplicated ${duplicated.length}, strange ${strange.length}, reordered ${reordered} in ${steps.join(', ')}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  return sum;
}
