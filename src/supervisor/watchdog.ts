import type { Clock } from '../api/index.ts';
import type { HubPlan } from '../config/index.ts';
import { beatIntervalMs } from './beat.ts';
import type { WorkerThread } from './worker-thread.ts';

interface Watched {
  /** Those that run now. */
  readonly threads: () => readonly Pick<WorkerThread, 'silentMs' | 'forgive' | 'memoryBytes' | 'terminate'>[];
  readonly plan: Pick<HubPlan, 'watchdogMs' | 'workerMemoryBytes'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const MIB = 1024 * 1024;

/** Ends workers whose event loop is blocked or whose memory outgrew the budget. Resolves when the signal aborts. */
export async function watchWorkers({ threads, plan, clock, signal }: Watched): Promise<void> {
  const intervalMs = beatIntervalMs(plan.watchdogMs);
  /** Above the budget at the last look: garbage that the next collection frees must not cost a worker. */
  let suspects = new Set<object>();
  let before = clock.monotonic();
  while (await waited(clock, intervalMs, signal)) {
    const now = clock.monotonic();
    // After SIGSTOP, or the sleep of a laptop, this thread may come to itself before the workers do.
    const stoodStill = now - before > 2 * intervalMs;
    before = now;
    const large = new Set<object>();
    for (const thread of threads()) {
      if (stoodStill) thread.forgive(now);
      const silentMs = thread.silentMs(now);
      if (silentMs > plan.watchdogMs)
        thread.terminate({ cause: 'blocked', reason: `the event loop was blocked for ${Math.round(silentMs)} ms` });
      else if (thread.memoryBytes > plan.workerMemoryBytes) {
        large.add(thread);
        if (suspects.has(thread)) thread.terminate({ cause: 'memory', reason: memoryReason(thread.memoryBytes, plan) });
      }
    }
    suspects = large;
  }
}

function memoryReason(bytes: number, plan: Pick<HubPlan, 'workerMemoryBytes'>): string {
  const [used, budget] = [bytes, plan.workerMemoryBytes].map((size) => Math.round(size / MIB));
  return `the worker used ${used} MiB, more than its budget of ${budget} MiB`;
}

async function waited(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(delayMs, signal);
    return true;
  } catch {
    return false;
  }
}
