/** `npm run prove:delivery`: the fault matrix, row by row, as `docs/delivery.md` shows it. `--help` names the options. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tableOf, writeTable } from './prove/delivery/delivery-table.ts';
import { proveRows } from './prove/delivery/prove-rows.ts';
import { rows } from './prove/delivery/rows.ts';
import { defaultStateFile, isProven, ProofState } from './prove/delivery/state.ts';
import { Servers } from './prove/kafka/servers.ts';

const help = `Usage: npm run prove:delivery -- [options]
  --rows A,B    these rows only (all)
  --again       rows that were proven before as well: without it a proof that was interrupted goes on
  --long        the sizes and durations of a release
  --seed N      makes the random choices of an earlier run again
  --state FILE  where the results are kept (${defaultStateFile})
  --write       puts the table into docs/delivery.md
Rows: ${rows.map(({ name }) => name).join(', ')}
Exit codes: 0 everything was shown, 1 something is wrong, 2 wrong use, 3 something could not be judged on this machine`;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = await read();
  if (typeof options === 'number') return options;
  const { chosen, isLong, seed, state, writes } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-prove-delivery-'));
  const servers = new Servers();
  try {
    console.log(`seed ${seed}, ${chosen.length} rows, results in ${options.stateFile}`);
    await proveRows(chosen, { servers, state, folder, seed, isLong });
  } finally {
    await servers.end();
    await rm(folder, { recursive: true, force: true });
  }
  const table = tableOf(rows, (name) => state.get(name));
  console.log(`\n${table}`);
  if (writes) await writeTable(table);
  const results = chosen.map(({ name }) => state.get(name));
  const sum = (of: 'lost' | 'duplicated'): number => results.reduce((all, result) => all + (result?.[of] ?? 0), 0);
  const failed = results.filter((result) => result === null || result.problems.length > 0 || result.expected === 0);
  console.log(`lost=${sum('lost')} duplicated=${sum('duplicated')} rows=${chosen.length} failed=${failed.length}`);
  if (failed.length > 0 || sum('lost') + sum('duplicated') > 0) return 1;
  return results.every(isProven) ? 0 : 3;
}

interface Options {
  readonly chosen: typeof rows;
  readonly isLong: boolean;
  readonly seed: number;
  readonly state: ProofState;
  readonly stateFile: string;
  readonly writes: boolean;
}

/** The exit code, with what is to be said printed, when there is nothing to run. */
async function read(): Promise<Options | number> {
  try {
    const { values } = parseArgs({
      options: {
        rows: { type: 'string', default: rows.map(({ name }) => name).join(',') },
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
    const unknown = names.find((name) => rows.every((row) => row.name !== name));
    if (unknown !== undefined) throw new Error(`no row "${unknown}"`);
    const state = await ProofState.open(values.state);
    if (values.again) await state.forget(names);
    return {
      chosen: rows.filter(({ name }) => names.includes(name)),
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
