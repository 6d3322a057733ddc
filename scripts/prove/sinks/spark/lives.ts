import { Ledger } from '../../../../src/testing/index.ts';
import type { CrashPoint } from '../../../../src/telemetry/index.ts';
import { drain, HubProcess, type Hub } from '../../hub.ts';
import type { Result } from '../../proof.ts';
import { readOutputs } from './outputs.ts';
import { javaEnvironment } from './targets.ts';

/** A hub that does not come to its point ends all the same: two batches, each with a driver on a busy machine, and one that waits for an orphan. */
export const PATIENCE_MS = 300_000;

/** The lives of a hub that gives ranges to jobs, and what these have published. */
export class Lives {
  readonly #hub: Hub;
  readonly #output: string;
  readonly #problems: string[] = [];

  constructor(hub: Hub, output: string) {
    this.#hub = hub;
    this.#output = output;
  }

  begin(env: Readonly<Record<string, string>> = {}): HubProcess {
    return new HubProcess(this.#hub, ['run'], { ...javaEnvironment, ...env });
  }

  /** A life that ends by itself at the nth passing of a crash point. */
  async endAt(point: CrashPoint, nth: number): Promise<void> {
    const life = this.begin({ SLUICE_TESTING: '1', SLUICE_CRASH_AT: `${point}:${nth}` });
    const late = new AbortController();
    const patience = setTimeout(() => {
      late.abort();
      void life.kill();
    }, PATIENCE_MS);
    const { signal } = await life.ended;
    clearTimeout(patience);
    if (late.signal.aborted || signal !== 'SIGKILL')
      this.#problems.push(`no life came to ${point}: ${life.output.slice(-500)}`);
  }

  /** Until everything is processed. */
  drain(): Promise<void> {
    return drain(this.#hub, { env: javaEnvironment, parameters: ['--timeout', '20m'] });
  }

  /** Each of so many numbered records has to be in exactly one output, and each offset. */
  async judge(expected: number, note: (ranges: number) => string): Promise<Result> {
    const { batches, records, leftovers } = await readOutputs(this.#output);
    const ledger = new Ledger({ expected });
    for (const { value = '' } of records) ledger.add(Buffer.from(value));
    const { rows, lost, duplicated, strange } = ledger.count();
    const offsets = new Set(records.map(({ partition, offset }) => `${partition}+${offset}`));
    return {
      expected,
      rows,
      lost,
      duplicated: Math.max(duplicated, records.length - offsets.size),
      note: note(batches.length),
      problems: [
        ...this.#problems,
        ...(strange > 0 ? [`${strange} records that nobody wrote`] : []),
        ...(leftovers.length > 0 ? [`left behind: ${leftovers.join(', ')}`] : []),
      ],
      unjudged: [],
    };
  }
}
