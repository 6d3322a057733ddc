import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../src/testing/free-ports.ts';
import { endWithThisProcess } from './ending.ts';

const entry = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

/** A hub of this checkout in a folder of its own, started and killed as often as a proof wants. */
export interface Hub {
  readonly folder: string;
  /** Where the embedded log lives. */
  readonly dataDir: string;
  readonly apiPort: number;
}

/** Writes the hub file, with these lines added to it, and one pipeline. */
export async function createHub(folder: string, pipeline: string, settings: readonly string[] = []): Promise<Hub> {
  const [apiPort] = (await freePorts(1)) as [number];
  await mkdir(folder, { recursive: true });
  const hub = ['data_dir: data', "pipelines: ['pipeline.yaml']", `api: { listen: '127.0.0.1:${apiPort}' }`];
  await writeFile(join(folder, 'sluice.yaml'), `${[...hub, ...settings].join('\n')}\n`);
  await writeFile(join(folder, 'pipeline.yaml'), pipeline);
  return { folder, dataDir: join(folder, 'data'), apiPort };
}

/** One life of a hub. */
export class HubProcess {
  readonly #child: ChildProcess;
  #output = '';
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  /** `env`: beside that of the proof. */
  constructor(hub: Hub, parameters: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, ['-C', 'sluice-source', entry, ...parameters], {
      cwd: hub.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithThisProcess(this.#child);
    const keep = (data: Buffer): void => {
      this.#output = (this.#output + data.toString()).slice(-20_000);
    };
    this.#child.stdout!.on('data', keep);
    this.#child.stderr!.on('data', keep);
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
    this.#child.kill(signal);
    return (await this.ended).code;
  }
}

export interface DrainOptions {
  readonly refuses?: boolean;
  /** Beside those of `run --once`. */
  readonly parameters?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs to the end of all input (`run --once`). Throws, with what was printed, unless everything was delivered, or refused where that is expected. */
export async function drain(hub: Hub, { refuses = false, parameters = [], env }: DrainOptions = {}): Promise<void> {
  const life = new HubProcess(hub, ['run', '--once', ...parameters], env);
  const { code, signal } = await life.ended;
  if (code !== (refuses ? 3 : 0)) throw new Error(`run --once ended with ${code ?? signal}:\n${life.output}`);
}

/** Waits until something listens there; throws when the hub ends before. */
export async function listening(life: HubProcess, port: number, deadlineMs = 20_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await canConnect(port))) {
    if (!life.alive || Date.now() > deadline) throw new Error(`nothing listens on port ${port}:\n${life.output}`);
    await sleep(10);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
}
