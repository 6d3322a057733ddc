import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Proof, Result } from './proof.ts';
import type { TailSum } from './tail-share.ts';

const MAX_PROCESSES = 8;
/** Enough to see what is wrong. */
const MAX_PROBLEMS = 5;

const script = fileURLToPath(new URL('tail-process.ts', import.meta.url));

/**
 * As many random sequences of write, rename, copytruncate, truncate, delete, compress, stop, kill and start as the part has lines, on the real file system, in
 * as many processes as there are cores: reads = writes.
 */
export async function proveTail({ folder, lines: sequences, seed }: Proof): Promise<Result> {
  const processes = Math.min(MAX_PROCESSES, availableParallelism(), sequences);
  const shares = await Promise.all(
    Array.from({ length: processes }, async (_, index) => {
      const first = Math.floor((sequences * index) / processes);
      const count = Math.floor((sequences * (index + 1)) / processes) - first;
      return runShare(join(folder, String(index)), seed + first, count);
    }),
  );
  const total = (of: (sum: TailSum) => number): number => shares.reduce((sum, share) => sum + of(share), 0);
  const inNeither = total((sum) => sum.inNeither);
  const did = `${total((sum) => sum.rotations)} rotations, ${total((sum) => sum.compressed)} compressed`;
  return {
    expected: total((sum) => sum.written) - inNeither,
    rows: total((sum) => sum.rows),
    lost: total((sum) => sum.lost),
    duplicated: total((sum) => sum.duplicated),
    note: `${sequences} sequences, ${did}, ${total((sum) => sum.lives)} starts, ${inNeither} lines in no file any more before they were read`,
    problems: shares.flatMap(({ problems }) => problems).slice(0, MAX_PROBLEMS),
    unjudged: [],
  };
}

async function runShare(folder: string, seed: number, sequences: number): Promise<TailSum> {
  await mkdir(folder, { recursive: true });
  const args = ['-C', 'sluice-source', script, folder, String(seed), String(sequences)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as TailSum;
}
