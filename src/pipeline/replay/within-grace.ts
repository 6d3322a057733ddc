import type { Clock } from '../../api/index.ts';

/** What is under way when a replay is stopped may still end by itself for so long. */
const GRACE_MS = 3000;

/** Settles as `work` does, and rejects with the signal's reason when that aborted and the work did not end soon after. */
export async function withinGrace<R>(work: Promise<R>, signal: AbortSignal, clock: Clock): Promise<R> {
  const done = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const onAbort = (): void => {
    clock.sleep(GRACE_MS, done.signal).then(
      () => {
        stopped.reject(signal.reason);
      },
      () => undefined,
    );
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    done.abort();
  }
}
