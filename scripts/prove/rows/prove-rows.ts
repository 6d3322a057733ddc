import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../../src/testing/index.ts';
import type { Servers } from '../kafka/servers.ts';
import type { Result } from '../proof.ts';
import { isPart, type Part, type Row, type ShownBy } from './row.ts';
import { runTests, type TestOutcome } from './run-tests.ts';
import { isProven, type ProofState } from './state.ts';

export interface Proving {
  readonly servers: Servers;
  readonly state: ProofState;
  readonly folder: string;
  readonly seed: number;
  readonly isLong: boolean;
}

/** Proves those rows that are not proven yet, and says so line by line. */
export async function proveRows(rows: readonly Row[], proving: Proving): Promise<void> {
  const open = rows.filter(({ name }) => !isProven(proving.state.get(name)));
  for (const { name } of rows) if (!open.some((row) => row.name === name)) console.log(`${name}: proven before`);
  for (const row of open) if (isPart(row.by)) await provePart(row.name, row.by, proving);
  const shown = open.flatMap(({ name, by }) => (isPart(by) ? [] : [{ name, by }]));
  if (shown.length > 0) await proveByTests(shown, proving);
}

async function provePart(name: string, part: Part, { servers, state, folder, seed, isLong }: Proving): Promise<void> {
  const { lines, kills } = isLong ? (part.long ?? part) : part;
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const started = performance.now();
  const proof = { folder: own, lines, kills, seed, random: seededRandom(seed) };
  const result = await part.prove(proof, servers).catch(broken);
  await tell(name, result, { state, elapsedMs: performance.now() - started });
  await rm(own, { recursive: true, force: true });
}

async function proveByTests(
  rows: readonly { readonly name: string; readonly by: readonly ShownBy[] }[],
  { folder, state }: Proving,
): Promise<void> {
  const told = new Set<string>();
  const tellRows = async (outcomes: readonly TestOutcome[], isOver: boolean): Promise<void> => {
    for (const { name, by } of rows) {
      const missing = by.filter((shown) => !outcomes.some((outcome) => isOf(shown, outcome)));
      if (told.has(name) || (missing.length > 0 && !isOver)) continue;
      told.add(name);
      const mine = outcomes.filter((outcome) => by.some((shown) => isOf(shown, outcome)));
      await tell(name, resultOf(mine, missing), { state, elapsedMs: mine.reduce((sum, { ms }) => sum + ms, 0) });
    }
  };
  let last: readonly TestOutcome[] = [];
  await runTests(
    rows.flatMap(({ by }) => by),
    folder,
    async (outcomes) => {
      last = outcomes;
      await tellRows(outcomes, false);
    },
  );
  await tellRows(last, true);
}

function isOf({ file, title }: ShownBy, outcome: TestOutcome): boolean {
  return outcome.path.endsWith(file) && outcome.title.includes(title);
}

function resultOf(outcomes: readonly TestOutcome[], missing: readonly ShownBy[]): Result {
  const failed = outcomes.filter(({ status }) => status === 'failed');
  return {
    expected: outcomes.length,
    rows: outcomes.length - failed.length,
    lost: 0,
    duplicated: 0,
    note: `${outcomes.length} tests`,
    problems: failed.map(({ title, message }) => `${title}: ${message.split('\n')[0]!}`),
    // Jest leaves out what needs servers that cannot be had here.
    unjudged: missing.map(({ file, title }) => `did not run: ${file}${title === '' ? '' : `, ${title}`}`),
  };
}

async function tell(
  name: string,
  result: Result,
  { state, elapsedMs }: { readonly state: ProofState; readonly elapsedMs: number },
): Promise<void> {
  await state.set(name, { ...result, ...wrongCounts(result), elapsedMs });
  const proven = isProven(state.get(name));
  const word = proven ? 'proven' : result.unjudged.length > 0 ? 'NOT JUDGED' : 'FAILED';
  console.log(`${name}: ${word} in ${(elapsedMs / 1000).toFixed(0)} s; ${result.note}`);
  for (const line of [...state.get(name)!.problems, ...result.unjudged]) console.log(`  ${line}`);
}

function wrongCounts({ lost, duplicated, problems }: Result): Pick<Result, 'problems'> {
  const wrong = [...(lost > 0 ? [`${lost} lost`] : []), ...(duplicated > 0 ? [`${duplicated} twice`] : [])];
  return { problems: [...wrong, ...problems] };
}

function broken(error: unknown): Result {
  const message = error instanceof Error ? error.message : String(error);
  return { rows: 0, expected: 0, lost: 0, duplicated: 0, note: '', problems: [message], unjudged: [] };
}
