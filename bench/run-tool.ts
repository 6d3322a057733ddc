import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Program, RunningProgram, type Usage } from './process.ts';

const LOOK_MS = 50;

/** Runs it to its end. Who has ended cannot be asked for its time any more, so the shell that waits for it writes it down, in milliseconds. */
export async function runTool(program: Program, folder: string): Promise<Usage> {
  const timeFile = join(folder, 'time.txt');
  const script = 'TIMEFORMAT="%3U %3S"; { time "$@" 2>&3 3>&-; } 3>&2 2>"$0"';
  const running = await RunningProgram.start(
    { ...program, command: 'bash', parameters: ['-c', script, timeFile, program.command, ...program.parameters] },
    join(folder, 'log.txt'),
  );
  let peakRssMegabytes = 0;
  const watch = async (): Promise<void> => {
    while (running.isAlive) {
      peakRssMegabytes = Math.max(peakRssMegabytes, (await running.usage()).peakRssMegabytes);
      await sleep(LOOK_MS);
    }
  };
  try {
    const [code] = await Promise.all([running.ended, watch()]);
    if (code !== 0)
      throw new Error(`${program.command} ended with ${code ?? 'a signal'}:\n${(await running.output()).slice(-2000)}`);
  } finally {
    await running.stop();
  }
  const [user, system] = (await readFile(timeFile, 'utf8')).trim().split(' ').map(Number);
  return { cpuSeconds: user! + system!, peakRssMegabytes };
}
