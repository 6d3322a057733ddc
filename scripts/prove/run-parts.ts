import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/testing/index.ts';
import type { Proof, Result } from './proof.ts';
import { Table } from './table.ts';

interface Part {
  readonly name: string;
  /** Its share of `--lines`. */
  readonly share: number;
  readonly prove: (proof: Proof) => Promise<Result>;
}

export interface Script {
  /** `npm run …`. */
  readonly name: string;
  /** What the numbers mean here, for `--help`. */
  readonly linesHelp: string;
  readonly kills: number;
  readonly parts: readonly Part[];
}

interface Options {
  readonly seed: number;
  readonly lines: number;
  readonly kills: number;
  readonly only: readonly string[];
  readonly keeps: boolean;
  readonly isHelp: boolean;
}

/** Runs the parts that the command line asks for, each in a folder of its own, and returns the exit code. */
export async function runParts(script: Script): Promise<number> {
  const options = readOptions(script);
  if (options === null) return 2;
  if (options.isHelp) {
    console.log(helpOf(script));
    return 0;
  }
  const { seed, lines, kills, keeps } = options;
  console.log(`seed ${seed}, ${lines} lines, ${kills} kills`);
  const table = new Table();
  for (const { name, share, prove } of script.parts.filter((part) => options.only.includes(part.name))) {
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

function helpOf({ name, linesHelp, kills, parts }: Script): string {
  return `Usage: npm run ${name} -- [options]
  --lines N    ${linesHelp}
  --kills N    SIGKILLs of each part (${kills})
  --seed N     makes the random choices of an earlier run again
  --only NAME  ${parts.map((part) => part.name).join(', ')}; may be repeated
  --keep       leaves the folders
Exit codes: 0 everything was shown, 1 something is wrong, 2 wrong use, 3 something could not be judged on this machine`;
}

/** Null, with the reason printed, when they make no sense. */
function readOptions(script: Script): Options | null {
  const names = script.parts.map(({ name }) => name);
  try {
    const { values } = parseArgs({
      options: {
        lines: { type: 'string', default: '1000000' },
        kills: { type: 'string', default: String(script.kills) },
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
    console.error(`${(error as Error).message}\n${helpOf(script)}`);
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
