import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../../src/testing/index.ts';
import { temporaryFolder } from './support/source.ts';
import { runTailSequence } from './support/tail-model.ts';

const SEQUENCES = 100;
const AT_ONCE = 8;

/** `npm run prove:main -- --only tail` runs thousands. */
test('whatever is written, renamed, copied, truncated, stopped and killed in whatever order: each line is read once', async () => {
  const folder = await temporaryFolder();
  const seed = Date.now() % 1e9;
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
}, 60_000);
