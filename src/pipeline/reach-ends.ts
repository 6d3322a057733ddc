import type { Clock } from '../api/index.ts';

/** Other hubs of a group save every second. */
const LOOK_EVERY_MS = 500;

interface ReachOptions {
  /** By partition. */
  readonly ends: readonly number[];
  /** Of the partitions that this sink reads now. */
  readonly settled: (partition: number) => number | undefined;
  /** Of all, whoever reads them; undefined when nobody else does. */
  readonly saved: (() => Promise<ReadonlyMap<number, number>>) | undefined;
  /** Resolves when the condition holds, looked at whenever something was settled; rejects when the signal aborts. */
  readonly until: (holds: () => boolean, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when everything below the ends is settled here, or saved by another hub that has the partition. */
export async function reachEnds({ ends, settled, saved, until, clock, signal }: ReachOptions): Promise<void> {
  let elsewhere: ReadonlyMap<number, number> = new Map();
  const hasReached = (): boolean =>
    ends.every((end, partition) => end === 0 || (settled(partition) ?? elsewhere.get(partition) ?? -1) >= end);
  if (saved === undefined) {
    await until(hasReached, signal);
    return;
  }
  while (!hasReached()) {
    const look = new AbortController();
    clock.sleep(LOOK_EVERY_MS, look.signal).then(
      () => {
        look.abort();
      },
      () => undefined,
    );
    await until(hasReached, AbortSignal.any([signal, look.signal])).catch(() => undefined);
    look.abort();
    signal.throwIfAborted();
    elsewhere = await saved();
  }
}
