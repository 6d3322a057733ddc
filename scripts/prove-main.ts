/** `npm run prove:main`: what Sluice promises on the embedded log, shown at full size. `--help` names the options. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { proveLines, variants } from './prove/lines.ts';
import { proveMemory } from './prove/memory.ts';
import { provePosts } from './prove/posts.ts';
import type { Proof, Result } from './prove/proof.ts';
import { seededRandom } from '../src/testing/index.ts';
import { Table } from './prove/table.ts';
import { proveTail } from './prove/tail.ts';

interface Part {
  readonly name: string;
  /** Its share of `--lines`. */
  readonly share: number;
  readonly prove: (proof: Proof) => Promise<Result>;
}

const parts: readonly Part[] = [
  { name: 'lines', share: 1, prove: (proof) => proveLines(proof, variants.bySource) },
  { name: 'lines-keyed', share: 1, prove: (proof) => proveLines(proof, variants.byKey) },
  { name: 'lines-batch', share: 1, prove: (proof) => proveLines(proof, variants.byBatch) },
  { name: 'posts', share: 1 / 10, prove: (proof) => provePosts(proof, false) },
  { name: 'posts-keyed', share: 1 / 10, prove: (proof) => provePosts(proof, true) },
  { name: 'tail', share: 1 / 500, prove: proveTail },
  { name: 'memory', share: 10, prove: proveMemory },
];

const help = `Usage: npm run prove:main -- [options]
  --lines N    lines of the file parts (1000000); a tenth is posted, ten times as many are generated, a 500th is the number of tail sequences
  --kills N    SIGKILLs of each part (20)
  --seed N     makes the random choices of an earlier run again
  --only NAME  ${parts.map(({ name }) => name).join(', ')}; may be repeated
  --keep       leaves the folders
Exit codes: 0 everything was shown, 1 something is wrong, 2 wrong use, 3 something could not be judged on this machine`;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) return 2;
  if (options.isHelp) {
    console.log(help);
    return 0;
  }
  const { seed, lines, kills, keeps } = options;
  console.log(`seed ${seed}, ${lines} lines, ${kills} kills`);
  const table = new Table();
  for (const { name, share, prove } of parts.filter((part) => options.only.includes(part.name))) {
    const folder = await mkdtemp(join(tmpdir(), `sluice-prove-${name}-`));
    const started = performance.now();
    const proof = { folder, lines: Math.ceil(lines * share), kills, seed, random: seededRandom(seed) };
    const result = await prove(proof).catch(broken);
    table.add(name, result, performance.now() - started);
    if (keeps) console.log(`  kept ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
  return table.end();
}

/** Null, with the reason printed, when they make no sense. */
function readOptions(): {
  seed: number;
  lines: number;
  kills: number;
  only: readonly string[];
  keeps: boolean;
  isHelp: boolean;
} | null {
  const names = parts.map(({ name }) => name);
  try {
    const { values } = parseArgs({
      options: {
        lines: { type: 'string', default: '1000000' },
        kills: { type: 'string', default: '20' },
        seed: { type: 'string', default: String(Date.now() % 1e9) },
        only: { type: 'string', multiple: true, default: names },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const unknown = values.only.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`no part "${unknown}"; there are ${names.join(', ')}`);
    const [lines, kills, seed] = [values.lines, values.kills, values.seed].map(wholeNumber) as [number, number, number];
    return { lines, kills, seed, only: values.only, keeps: values.keep, isHelp: values.help };
  } catch (error) {
    console.error(`${(error as Error).message}\n${help}`);
    return null;
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`"${text}" is no whole number`);
  return Number(text);
}

function broken(error: unknown): Result {
  const message = error instanceof Error ? error.message : String(error);
  return { rows: 0, expected: 0, lost: 0, duplicated: 0, note: '', problems: [message], unjudged: [] };
}
