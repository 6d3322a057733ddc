import { readdir, readFile } from 'node:fs/promises';

/** A process, told from another one that gets its number later. */
export interface ProcessMark {
  readonly pid: number;
  /** In ticks since the boot. */
  readonly started: string;
}

/** Null where there is none, or no /proc. */
export async function markOf(pid: number): Promise<ProcessMark | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name in parentheses may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  return state === 'Z' || started === undefined ? null : { pid, started };
}

export async function isAlive(mark: ProcessMark): Promise<boolean> {
  return (await markOf(mark.pid))?.started === mark.started;
}

/** The leader of a process group that was started with these arguments, one behind the other: what another life of the hub left behind. */
export async function findProcess(args: readonly [string, string]): Promise<ProcessMark | null> {
  const names = await readdir('/proc').catch(() => []);
  const wanted = `\0${args.join('\0')}\0`;
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes(wanted)) continue;
    const mark = await markOf(Number(name));
    if (mark !== null && (await groupOf(mark.pid)) === mark.pid) return mark;
  }
  return null;
}

async function groupOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

/** Signals every process of a group; none left is none to signal. */
export function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
