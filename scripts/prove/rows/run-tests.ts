import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endWithThisProcess } from '../ending.ts';
import type { ShownBy } from './row.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const LOOK_MS = 1000;
/** Hubs that tests stop stand still for a minute here. */
const STANDSTILL_MS = '60000';

export interface TestOutcome {
  readonly path: string;
  /** With the titles of what it stands in. */
  readonly title: string;
  readonly status: 'passed' | 'failed';
  readonly ms: number;
  readonly message: string;
}

/** Runs these tests with their servers; `onOutcomes` is told all there are so far whenever a file is through. */
export async function runTests(
  tests: readonly ShownBy[],
  folder: string,
  onOutcomes: (outcomes: readonly TestOutcome[]) => Promise<void>,
): Promise<void> {
  // By their titles only where not the whole file is wanted: Jest chooses titles for all files of a run.
  const whole = new Set(tests.filter(({ title }) => title === '').map(({ file }) => file));
  let before: readonly TestOutcome[] = [];
  for (const some of [tests.filter(({ file }) => whole.has(file)), tests.filter(({ file }) => !whole.has(file))]) {
    let found: readonly TestOutcome[] = [];
    await runJest(some, folder, (outcomes) => onOutcomes([...before, ...(found = outcomes)]));
    before = [...before, ...found];
  }
}

async function runJest(
  tests: readonly ShownBy[],
  folder: string,
  onOutcomes: (outcomes: readonly TestOutcome[]) => Promise<void>,
): Promise<void> {
  if (tests.length === 0) return;
  const told = join(folder, 'tests.ndjson');
  await writeFile(told, '');
  const files = [...new Set(tests.map(({ file }) => file))];
  const titles = [...new Set(tests.map(({ title }) => title))].map((title) =>
    title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
  );
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const reporter = join(import.meta.dirname, 'test-reporter.js');
  const parameters = [
    '--config',
    join(root, 'jest.proofs.config.js'),
    ...files,
    ...(tests.some(({ title }) => title === '') ? [] : ['-t', titles.join('|')]),
    '--reporters',
    reporter,
  ];
  const child = spawn(process.execPath, ['-C', 'sluice-source', jest, ...parameters], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, SLUICE_PROVE_TESTS: told, SLUICE_TEST_STANDSTILL_MS: STANDSTILL_MS },
  });
  // Politely: it has servers of its own to end.
  endWithThisProcess(child, 'SIGTERM');
  const over = new AbortController();
  const ended = once(child, 'close').then(() => {
    over.abort();
  });
  let known = 0;
  const look = async (): Promise<void> => {
    const lines = (await readFile(told, 'utf8')).split('\n').slice(0, -1);
    if (lines.length === known) return;
    known = lines.length;
    await onOutcomes(lines.map((line) => JSON.parse(line) as TestOutcome));
  };
  while (!over.signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal: over.signal }).catch(() => undefined);
    await look();
  }
  await ended;
  await rm(told);
}
