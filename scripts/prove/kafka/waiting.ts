import { setTimeout as sleep } from 'node:timers/promises';

/** What has to run meanwhile: a hub, or a program beside it. */
export interface Running {
  readonly alive: boolean;
  readonly output: string;
}

/** Polls until it holds. Throws, with what the hubs printed, when one of them ends or the time is over. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  { hubs = [], deadlineMs, everyMs = 100 }: { hubs?: readonly Running[]; deadlineMs: number; everyMs?: number },
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    const ended = hubs.find(({ alive }) => !alive);
    if (ended !== undefined) throw new Error(`a program ended before ${what}:\n${ended.output}`);
    if (performance.now() > deadline) {
      const outputs = hubs.map(({ output }) => output.slice(-3000)).join('\n');
      throw new Error(`not so after ${Math.round(deadlineMs / 1000)} s: ${what}\n${outputs}`);
    }
    await sleep(everyMs);
  }
}
