import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../../src/testing/index.ts';
import { temporaryFolder } from './support/source.ts';
import { runTailSequence } from './support/tail-model.ts';

/** `npm run prove:main -- --only tail --lines 2500000` runs 5,000 in several processes; a seed that failed there is tried here with `SLUICE_TAIL_SEED` and `SLUICE_TAIL_SEQUENCES=1`. */
const { SLUICE_TAIL_SEQUENCES = '100', SLUICE_TAIL_SEED = String(Date.now() % 1e9) } = process.env;
const SEQUENCES = Number(SLUICE_TAIL_SEQUENCES);
const AT_ONCE = 8;

test('whatever is written, renamed, copied, truncated, emptied, deleted, compressed, stopped and killed in whatever order: each line is read once', async () => {
  const folder = await temporaryFolder();
  const seed = Number(SLUICE_TAIL_SEED);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < SEQUENCES) {
      const number = next++;
      const verdict = await runTailSequence(join(folder, String(number)), seededRandom(seed + number));
      const { lost, duplicated, strange, reordered } = verdict;
      const told = { lost, duplicated, strange, reordered, seed: seed + number, steps: verdict.steps.join(', ') };
      expect(told).toEqual({ ...told, lost: [], duplicated: [], strange: [], reordered: 0 });
      expect(verdict.rows + verdict.inNeither).toBe(verdict.written);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await rm(folder, { recursive: true });
}, 600_000);
