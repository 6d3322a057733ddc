import { parseArgs } from 'node:util';
import type { Path } from './path.ts';
import { paths } from './paths/index.ts';

export interface BenchOptions {
  readonly paths: readonly Path[];
  readonly runs: number;
  /** Of a run at the most. */
  readonly records: number;
  readonly isJson: boolean;
  /** README.md, its chart and the report behind them. */
  readonly writes: boolean;
  /** A built package instead of this checkout. */
  readonly packageFolder: string | null;
  /** A cluster instead of that of the services. */
  readonly brokers: string | null;
  readonly isHelp: boolean;
}

const DEFAULT_RUNS = 5;
const DEFAULT_RECORDS = 10_000_000;

export function helpText(): string {
  return `Usage: npm run bench -- [options] [PATH…]
  PATH              ${paths.map(({ name }) => name).join(', ')}; all by default
  --runs N          runs of each system, in turns; the medians count (${DEFAULT_RUNS})
  --records N       records of a run at the most (${DEFAULT_RECORDS}); a slow system gets what it carries in 25 s
  --system NAME     only this one, in all its kinds; may be repeated
  --codec NAME      only lz4 or none; may be repeated
  --package FOLDER  a built package instead of this checkout, to compare with
  --brokers LIST    a Kafka cluster instead of that of \`npm run services\`
  --json            one line of JSON on the standard output
  --write           writes bench/README.md, its chart and the report behind them
Exit codes: 0 done, 1 a run failed, 2 wrong use`;
}

/** Null, with the reason printed, when they make no sense. */
export function readOptions(parameters: readonly string[]): BenchOptions | null {
  try {
    const { values, positionals: names } = parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: {
        runs: { type: 'string', default: String(DEFAULT_RUNS) },
        records: { type: 'string', default: String(DEFAULT_RECORDS) },
        system: { type: 'string', multiple: true },
        codec: { type: 'string', multiple: true },
        package: { type: 'string' },
        brokers: { type: 'string' },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const { system: systems, codec: codecs } = values;
    return {
      paths: chosenPaths(names).map((path) => ({
        ...path,
        contestants: path.contestants.filter(
          ({ system, codec }) =>
            (systems?.some((name) => system === name || system.startsWith(`${name},`)) ?? true) &&
            (codecs?.includes(codec) ?? true),
        ),
      })),
      runs: positive('--runs', values.runs),
      records: positive('--records', values.records),
      isJson: values.json,
      writes: values.write,
      packageFolder: values.package ?? null,
      brokers: values.brokers ?? null,
      isHelp: values.help,
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return null;
  }
}

function chosenPaths(names: readonly string[]): readonly Path[] {
  const unknown = names.find((name) => !paths.some((path) => path.name === name));
  if (unknown !== undefined)
    throw new Error(`no path "${unknown}"; there are ${paths.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? paths : paths.filter(({ name }) => names.includes(name));
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`${option} is a whole number from 1 on, got "${text}"`);
  return number;
}
