import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, type Probe } from './probe.ts';

/** All that is needed to start a process, now and again. Its output is appended to `logFile`. */
export interface Launch {
  /** Tells it from the other processes of its service. */
  readonly name: string;
  readonly command: string;
  readonly parameters: readonly string[];
  readonly logFile: string;
  readonly cwd: string;
  readonly probe: Probe;
}

/** A process that outlives the command that started it. `started` tells it from a later process of the same id. */
export interface Child {
  readonly pid: number;
  readonly started: string;
  readonly launch: Launch;
}

const readyWithinMs = 120_000;
const endedWithinMs = 15_000;

/** Starts it in a session of its own; `waitUntilReady` tells when it answers. */
export async function startChild(launch: Launch): Promise<Child> {
  const { command, parameters, logFile, cwd } = launch;
  await mkdir(dirname(logFile), { recursive: true });
  const log = await open(logFile, 'a');
  try {
    const child = spawn(command, parameters, { detached: true, stdio: ['ignore', log.fd, log.fd], cwd });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => {
        resolve(child.pid!);
      });
    });
    child.unref();
    return { pid, started: (await startTime(pid)) ?? '', launch };
  } finally {
    await log.close();
  }
}

export async function isAlive(child: Child): Promise<boolean> {
  const started = await startTime(child.pid);
  return started !== null && started === child.started;
}

/** Sends a signal to exactly this process. False when it has ended. */
export async function signalChild(child: Child, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(child))) return false;
  try {
    return process.kill(child.pid, signal);
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Ends exactly this process, a stopped one too: politely first, by force after the deadline. */
export async function stopChild(child: Child, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  await signalChild(child, signal);
  await signalChild(child, 'SIGCONT');
  const deadline = Date.now() + endedWithinMs;
  while (await isAlive(child)) {
    if (Date.now() > deadline) await signalChild(child, 'SIGKILL');
    await sleep(20);
  }
}

/** SIGTERM, one after the other: a broker wants to say good-bye to the ZooKeeper behind it. */
export async function stopInOrder(children: readonly Child[]): Promise<void> {
  for (const child of children) await stopChild(child);
}

/** Starts processes that need each other to become ready. When one does not, all are ended and the reason is thrown. */
export async function startChildren(launches: readonly Launch[]): Promise<Child[]> {
  const children = await Promise.all(launches.map(startChild));
  // Nobody knows of them yet who could end them when this process is told to end.
  const abandon = (): void => {
    for (const child of children) killNow(child);
  };
  process.once('exit', abandon);
  try {
    await Promise.all(children.map(waitUntilReady));
    return children;
  } catch (error) {
    await Promise.all(children.map((child) => stopChild(child, 'SIGKILL')));
    throw error;
  } finally {
    process.off('exit', abandon);
  }
}

function killNow({ pid }: Child): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Waits until its probe is answered; rejects with the end of the log when the process ends before, or after two minutes. */
export async function waitUntilReady(child: Child): Promise<void> {
  const { logFile, probe } = child.launch;
  const deadline = Date.now() + readyWithinMs;
  while (!(await answers(probe))) {
    const isLate = Date.now() > deadline;
    if (isLate || !(await isAlive(child))) {
      const log = await readFile(logFile, 'utf8');
      const problem = isLate ? `not ready after ${readyWithinMs / 1000} s` : 'the process ended';
      throw new Error(`waiting for ${logFile}: ${problem}\n${log.slice(-2000)}`);
    }
    await sleep(100);
  }
}

/** When a process began, in ticks since the boot: field 22 of /proc/PID/stat (proc(5)). Null when there is no such process or it is a zombie. */
export async function startTime(pid: number): Promise<string | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
