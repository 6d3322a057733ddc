import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runTailSequence } from '../../test/connectors/file/support/tail-model.ts';
import type { Proof, Result } from './proof.ts';
import { seededRandom } from '../../src/testing/index.ts';

const AT_ONCE = 8;
/** Enough to see what is wrong. */
const MAX_PROBLEMS = 5;

/** As many random sequences of write, rename, copytruncate, stop, kill and start as the part has lines, on the real file system: reads = writes. */
export async function proveTail({ folder, lines: sequences, seed }: Proof): Promise<Result> {
  const sum = { written: 0, rows: 0, inNeither: 0, lost: 0, duplicated: 0, lives: 0, rotations: 0 };
  const problems: string[] = [];
  let next = 0;
  const prove = async (): Promise<void> => {
    while (next < sequences) {
      const number = next++;
      const place = join(folder, String(number));
      const verdict = await runTailSequence(place, seededRandom(seed + number));
      const { lost, duplicated, strange, reordered, steps } = verdict;
      sum.written += verdict.written;
      sum.rows += verdict.rows;
      sum.inNeither += verdict.inNeither;
      sum.lost += lost.length;
      sum.duplicated += duplicated.length;
      sum.lives += steps.filter((step) => step === 'start').length;
      sum.rotations += steps.filter((step) => step === 'rename' || step === 'truncate').length;
      const isRight = verdict.rows + verdict.inNeither === verdict.written;
      if (!isRight || lost.length + duplicated.length + strange.length + reordered > 0) {
        problems.push(
          `seed ${seed + number}: lost ${lost.length}, duplicated ${duplicated.length}, strange ${strange.length}, reordered ${reordered} in ${steps.join(', ')}`,
        );
      } else await rm(place, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, prove));
  const { written, rows, inNeither, lost, duplicated, lives, rotations } = sum;
  return {
    expected: written - inNeither,
    rows,
    lost,
    duplicated,
    note: `${sequences} sequences, ${rotations} rotations, ${lives} starts, ${inNeither} lines in neither file nor copy`,
    problems: problems.slice(0, MAX_PROBLEMS),
    unjudged: [],
  };
}
