import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work`, then `end`, also when this process is told to end meanwhile: servers are processes of their own, which would stay. */
export async function endingAlways<Result>(work: () => Promise<Result>, end: () => Promise<void>): Promise<Result> {
  const told = new Set<NodeJS.Signals>();
  const listener = (signal: NodeJS.Signals): void => {
    // Whoever sends a second one does not want to wait.
    if (told.size > 0) process.exit(128 + constants.signals[signal]);
    told.add(signal);
    void end().finally(() => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of signals) process.on(signal, listener);
  try {
    return await work();
  } finally {
    // It fails because its servers are gone: nobody wants to read that.
    if (told.size > 0) await new Promise(() => undefined);
    await end();
    for (const signal of signals) process.off(signal, listener);
  }
}

/** Ends it when this process exits before it. */
export function endWithThisProcess(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): void {
  const end = (): void => {
    child.kill(signal);
  };
  process.on('exit', end);
  child.once('close', () => process.off('exit', end));
}
