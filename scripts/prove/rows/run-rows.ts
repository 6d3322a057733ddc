import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endingAlways } from '../ending.ts';
import { Servers } from '../kafka/servers.ts';
import { tableOf, writeTable } from './page-table.ts';
import { proveRows } from './prove-rows.ts';
import type { Row } from './row.ts';
import { isProven, ProofState } from './state.ts';

export interface RowsScript {
  /** `prove:…`, of `npm run` and of the marks around the table. */
  readonly name: string;
  /** Where `--write` puts the table, below `docs/`. */
  readonly page: string;
  readonly rows: readonly Row[];
}

interface Options {
  readonly chosen: readonly Row[];
  readonly isLong: boolean;
  readonly seed: number;
  readonly state: ProofState;
  readonly stateFile: string;
  readonly writes: boolean;
}

/** Proves the rows that the command line asks for, goes on where an earlier run was interrupted, and returns the exit code. */
export async function runRows(script: RowsScript): Promise<number> {
  const options = await read(script);
  if (typeof options === 'number') return options;
  const { isLong, seed, state, writes } = options;
  const chosen = await thoseThatCanRun(options.chosen);
  const folder = await mkdtemp(join(tmpdir(), `sluice-${script.name.replace(':', '-')}-`));
  const servers = new Servers();
  console.log(`seed ${seed}, ${chosen.length} rows, results in ${options.stateFile}`);
  await endingAlways(
    () => proveRows(chosen, { servers, state, folder, seed, isLong }),
    async () => {
      await servers.end();
      await rm(folder, { recursive: true, force: true });
    },
  );
  const table = tableOf(script.rows, (name) => state.get(name));
  console.log(`\n${table}`);
  if (writes) await writeTable(table, script);
  const results = chosen.map(({ name }) => state.get(name));
  const sum = (of: 'lost' | 'duplicated'): number => results.reduce((all, result) => all + (result?.[of] ?? 0), 0);
  const failed = results.filter((result) => result === null || result.problems.length > 0 || result.expected === 0);
  console.log(`lost=${sum('lost')} duplicated=${sum('duplicated')} rows=${chosen.length} failed=${failed.length}`);
  if (failed.length > 0 || sum('lost') + sum('duplicated') > 0) return 1;
  return results.every(isProven) ? 0 : 3;
}

/** What is not installed cannot be judged, and is no row that passed either. */
async function thoseThatCanRun(rows: readonly Row[]): Promise<readonly Row[]> {
  const chosen: Row[] = [];
  for (const row of rows) {
    const missing = (await row.missing?.()) ?? null;
    if (missing === null) chosen.push(row);
    else console.log(`${row.name}: left out, ${missing}`);
  }
  return chosen;
}

/** The exit code, with what is to be said printed, when there is nothing to run. */
async function read({ name, page, rows }: RowsScript): Promise<Options | number> {
  const defaultStateFile = join(tmpdir(), `sluice-${name.replace(':', '-')}`, 'state.json');
  const help = `Usage: npm run ${name} -- [options]
  --rows A,B    these rows only (all)
  --again       rows that were proven before as well: without it a proof that was interrupted goes on
  --long        the sizes and durations of a release
  --seed N      makes the random choices of an earlier run again
  --state FILE  where the results are kept (${defaultStateFile})
  --write       puts the table into docs/${page}
Rows: ${rows.map((row) => row.name).join(', ')}
Exit codes: 0 everything was shown, 1 something is wrong, 2 wrong use, 3 something could not be judged on this machine`;
  try {
    const { values } = parseArgs({
      options: {
        rows: { type: 'string', default: rows.map((row) => row.name).join(',') },
        again: { type: 'boolean', default: false },
        long: { type: 'boolean', default: false },
        seed: { type: 'string', default: String(Date.now() % 1e9) },
        state: { type: 'string', default: defaultStateFile },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(help);
      return 0;
    }
    const names = values.rows.split(',');
    const unknown = names.find((one) => rows.every((row) => row.name !== one));
    if (unknown !== undefined) throw new Error(`no row "${unknown}"`);
    const state = await ProofState.open(values.state);
    if (values.again) await state.forget(names);
    return {
      chosen: rows.filter((row) => names.includes(row.name)),
      isLong: values.long,
      seed: Number(values.seed),
      state,
      stateFile: values.state,
      writes: values.write,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n${help}`);
    return 2;
  }
}
