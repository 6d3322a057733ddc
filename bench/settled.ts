import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProgram } from './process.ts';

const EVERY_MS = 500;
const LOOKS = 20;
const STILL_CPU_SECONDS = 0.02;

/** A start goes on behind the first answer: compilers, connections. */
export async function settled(running: RunningProgram): Promise<void> {
  let before = (await running.usage()).cpuSeconds;
  for (let looks = 0; looks < LOOKS; looks++) {
    await sleep(EVERY_MS);
    const now = (await running.usage()).cpuSeconds;
    if (now - before < STILL_CPU_SECONDS) return;
    before = now;
  }
}
