import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a system is put to work. */
export interface Program {
  readonly command: string;
  readonly parameters: readonly string[];
  readonly cwd?: string;
  /** On top of the environment of the bench. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Usage {
  /** User and system time of all threads, children included. */
  readonly cpuSeconds: number;
  /** The most memory that the process had resident so far (VmHWM), its live children included. */
  readonly peakRssMegabytes: number;
}

const endedWithinMs = 20_000;
/** USER_HZ, which Linux has fixed for what it tells programs (proc(5)). */
const ticksPerSecond = 100;

const alive = new Set<RunningProgram>();

/** Ends what still runs, at once: for a bench that is told to stop. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...alive].map((program) => program.kill()));
}

/** A process of the bench, in a group of its own; what it prints is appended to a file. */
export class RunningProgram {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;

  private constructor(child: ChildProcess, logFile: string) {
    this.#child = child;
    this.#logFile = logFile;
    alive.add(this);
    this.ended = once(child, 'close').then(([code]) => {
      alive.delete(this);
      return code as number | null;
    });
  }

  static async start(program: Program, logFile: string): Promise<RunningProgram> {
    const { command, parameters, cwd, environment } = program;
    const log = await open(logFile, 'a');
    try {
      const child = spawn(command, parameters, {
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
        ...(cwd === undefined ? {} : { cwd }),
        env: { ...process.env, ...environment },
      });
      const running = new RunningProgram(child, logFile);
      await once(child, 'spawn');
      return running;
    } finally {
      await log.close();
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it printed, standard output and error together. */
  async output(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  async usage(): Promise<Usage> {
    return usageOf(this.pid);
  }

  /** Resolves when `check` is true; throws, with the end of what was printed, when the program ends before or time is up. */
  async until(check: () => boolean | Promise<boolean>, what: string, deadlineMs = 120_000): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!(await check())) {
      if (!this.isAlive || performance.now() > deadline) {
        const reason = this.isAlive ? `not within ${deadlineMs / 1000} s` : 'the program ended';
        throw new Error(`waiting for ${what}: ${reason}\n${(await this.output()).slice(-2000)}`);
      }
      await sleep(25);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, by force after the deadline; what is left of its group goes, too. */
  async stop(): Promise<void> {
    if (this.isAlive) this.#child.kill('SIGTERM');
    const patience = new AbortController();
    const late = sleep(endedWithinMs, 'late' as const, { signal: patience.signal }).catch(() => 'ended' as const);
    await Promise.race([this.ended, late]);
    patience.abort();
    await this.kill();
  }

  /** The whole group. */
  async kill(): Promise<void> {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nothing is left of the group.
    }
    await this.ended;
  }
}

/** The use of a process and of everything below it, until now; zero when it has ended. */
async function usageOf(pid: number): Promise<Usage> {
  try {
    const [stat, status, children] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
      childrenOf(pid),
    ]);
    const below = await Promise.all(children.map(usageOf));
    // utime, stime, cutime and cstime: fields 14 to 17, counted behind the name, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    return below.reduce(
      (sum, child) => ({
        cpuSeconds: sum.cpuSeconds + child.cpuSeconds,
        peakRssMegabytes: sum.peakRssMegabytes + child.peakRssMegabytes,
      }),
      { cpuSeconds: ticks / ticksPerSecond, peakRssMegabytes: Number(kibibytes ?? 0) / 1024 },
    );
  } catch {
    return { cpuSeconds: 0, peakRssMegabytes: 0 };
  }
}

/** A process has the children of each of its threads. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}
