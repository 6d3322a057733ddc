import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work`, then `end`, also when this process is told to end or fails meanwhile: servers are processes of their own, which would stay. */
export async function endingAlways<Result>(work: () => Promise<Result>, end: () => Promise<void>): Promise<Result> {
  const codes: number[] = [];
  const leave = (code: number): void => {
    codes.push(code);
    // Whoever sends a second signal does not want to wait.
    if (codes.length > 1) process.exit(code);
    void end().finally(() => process.exit(code));
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    leave(128 + constants.signals[signal]);
  };
  const onError = (error: unknown): void => {
    console.error(error);
    leave(1);
  };
  for (const signal of signals) process.on(signal, onSignal);
  process.on('uncaughtException', onError);
  try {
    return await work();
  } finally {
    // It fails because its servers are gone: nobody wants to read that.
    if (codes.length > 0) await new Promise(() => undefined);
    await end();
    for (const signal of signals) process.off(signal, onSignal);
    process.off('uncaughtException', onError);
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
