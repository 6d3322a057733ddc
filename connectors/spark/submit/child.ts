import { spawn, type ChildProcess } from 'node:child_process';
import { SluiceError, type Clock } from 'sluice/api';
import { signalGroup } from './processes.ts';

const KEPT_BYTES = 64 * 1024;
const LOOK_EVERY_MS = 100;

interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/** The last bytes of a stream. */
class Tail {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - this.#chunks[0]!.length >= KEPT_BYTES) this.#bytes -= this.#chunks.shift()!.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).subarray(-KEPT_BYTES).toString();
  }
}

/**
 * A program in a process group of its own. Of what it writes the end is kept: a driver may write for hours. Ending it means its group: what Spark starts for Python
 * outlives a signal to its parent.
 */
export class Child {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #stdout = new Tail();
  readonly #stderr = new Tail();
  readonly #exited = Promise.withResolvers<undefined>();
  #exit: number | null = null;

  private constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    this.pid = child.pid!;
    child.stdout!.on('data', (chunk: Buffer) => {
      this.#stdout.add(chunk);
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr.add(chunk);
    });
    child.on('exit', (code, signal) => {
      // As a shell counts: SIGTERM is 143.
      this.#exit = code ?? 128 + (signal === 'SIGKILL' ? 9 : 15);
      this.#exited.resolve(undefined);
    });
  }

  /** Rejects with `SINK_BLOCKED` when the program cannot be started. */
  static start({ command, args, env, clock }: ChildOptions): Promise<Child> {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env });
    return new Promise((resolve, reject) => {
      child.once('error', (error) => {
        reject(new SluiceError('SINK_BLOCKED', `starting ${JSON.stringify(command)}`, { cause: error }));
      });
      child.once('spawn', () => {
        resolve(new Child(child, clock));
      });
    });
  }

  /** Null while it runs. */
  get exit(): number | null {
    return this.#exit;
  }

  get stdout(): string {
    return this.#stdout.text;
  }

  get stderr(): string {
    return this.#stderr.text;
  }

  /** Resolves with its exit code. */
  async wait(): Promise<number> {
    await this.#exited.promise;
    return this.#exit!;
  }

  /** Ends the whole group: SIGTERM first, and what is left after `patienceMs` by SIGKILL. */
  async end(patienceMs: number): Promise<void> {
    await endGroup(this.pid, patienceMs, this.#clock);
    // A grandchild may hold the pipes open.
    this.#child.stdout!.destroy();
    this.#child.stderr!.destroy();
    this.#child.unref();
  }
}

/** Of a child, or of one that another life of the hub has left. */
export async function endGroup(leader: number, patienceMs: number, clock: Clock): Promise<void> {
  if (!signalGroup(leader, 'SIGTERM')) return;
  for (const until = clock.monotonic() + patienceMs; clock.monotonic() < until;) {
    await clock.sleep(LOOK_EVERY_MS);
    if (!isThere(leader)) return;
  }
  signalGroup(leader, 'SIGKILL');
}

function isThere(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch {
    return false;
  }
}
