import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const KEPT_OUTPUT = 20_000;

interface Totals {
  readonly recordsIn: number;
  readonly delivered: number;
}

export interface LifeOptions {
  readonly planFile: string;
  readonly outputFile: string;
  readonly apiPort: number;
  /** Where it connects instead of to brokers. */
  readonly redirects: string;
  readonly mode: 'run' | 'once';
  /** `point:nth`, where it ends itself. */
  readonly crashAt: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/** One life of the pipeline, in a process of its own. */
export class TrialProcess {
  readonly #child: ChildProcess;
  readonly #apiPort: number;
  readonly #startedAt = performance.now();
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #log = '';

  constructor({ planFile, outputFile, apiPort, redirects, mode, crashAt, env }: LifeOptions) {
    const entry = join(import.meta.dirname, `life${extname(import.meta.url)}`);
    const output = openSync(outputFile, 'a');
    const testing = { SLUICE_TESTING: '1', SLUICE_CRASH_AT: crashAt ?? '', SLUICE_REDIRECT: redirects };
    this.#child = spawn(process.execPath, [...process.execArgv, entry, planFile, mode], {
      stdio: ['ignore', output, 'pipe'],
      env: { ...env, ...testing },
    });
    closeSync(output);
    this.#apiPort = apiPort;
    this.#child.stderr!.on('data', (data: Buffer) => {
      this.#log = (this.#log + data.toString()).slice(-KEPT_OUTPUT);
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it logged. */
  get log(): string {
    return this.#log;
  }

  /** Resolves with the milliseconds from its start until a sink delivered something; null when it ended before, or the signal aborted. */
  recovered(signal: AbortSignal): Promise<number | null> {
    return this.#reached('delivered', signal);
  }

  /** The same until something came into the topic. */
  tookIn(signal: AbortSignal): Promise<number | null> {
    return this.#reached('recordsIn', signal);
  }

  async #reached(total: keyof Totals, signal: AbortSignal): Promise<number | null> {
    while (this.isAlive && !signal.aborted) {
      if ((await this.#total(total)) > 0) return performance.now() - this.#startedAt;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    return null;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.isAlive) this.#child.kill(signal);
    return (await this.ended).code;
  }

  async #total(total: keyof Totals): Promise<number> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#apiPort}/status`, { signal: AbortSignal.timeout(1000) });
      const { pipelines } = (await answer.json()) as { pipelines: { totals: Totals }[] };
      return pipelines[0]?.totals[total] ?? 0;
    } catch {
      return 0;
    }
  }
}
