import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that outlives the command that started it. `started` tells it from a later process of the same id. */
export interface Child {
  readonly pid: number;
  readonly started: string;
}

/** Starts `command` with its output appended to `logFile`, in a session of its own. */
export async function startChild(
  command: string,
  parameters: readonly string[],
  logFile: string,
  cwd: string,
): Promise<Child> {
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
    return { pid, started: (await startTime(pid)) ?? '' };
  } finally {
    await log.close();
  }
}

export async function isAlive(child: Child): Promise<boolean> {
  const started = await startTime(child.pid);
  return started !== null && started === child.started;
}

/** Ends exactly this process: politely first, by force after the deadline. True when it was alive. */
export async function stopChild(
  child: Child,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
  deadlineMs = 15_000,
): Promise<boolean> {
  if (!(await isAlive(child))) return false;
  process.kill(child.pid, signal);
  const deadline = Date.now() + deadlineMs;
  while (await isAlive(child)) {
    if (Date.now() > deadline) process.kill(child.pid, 'SIGKILL');
    await sleep(50);
  }
  return true;
}

/** Waits until `isReady` says so; rejects with the end of the log when the process ends before, or after two minutes. */
export async function waitUntilReady(child: Child, logFile: string, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await isReady())) {
    const isLate = Date.now() > deadline;
    if (isLate || !(await isAlive(child))) {
      const log = await readFile(logFile, 'utf8');
      throw new Error(
        `waiting for ${logFile}: ${isLate ? 'not ready after 120 s' : 'the process ended'}\n${log.slice(-2000)}`,
      );
    }
    await sleep(100);
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as { port: number };
      await new Promise((resolve) => server.close(resolve));
      return port;
    }),
  );
}

/** Field 22 of /proc/PID/stat (proc(5)); null when there is no such process or it is a zombie. */
async function startTime(pid: number): Promise<string | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
