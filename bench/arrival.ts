import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './stage.ts';

const EVERY_MS = 20;
/** A system that carries nothing for so long is stuck. */
const STUCK_MS = 120_000;

/**
 * Waits until the target holds everything; the seconds from the first to the last record. The clock starts when the target is last seen empty, so that how
 * soon an input is noticed does not count.
 */
export async function arrival(
  target: Pick<Stage<unknown>, 'arrived' | 'expected'>,
  signal: AbortSignal,
): Promise<number> {
  const { arrived, expected } = target;
  let started = performance.now();
  let moved = started;
  let before = 0;
  for (;;) {
    const asked = performance.now();
    const count = await arrived();
    if (count === 0) started = asked;
    if (count >= expected) {
      if (count > expected) throw new Error(`the target holds ${count} records instead of ${expected}`);
      return (performance.now() - started) / 1000;
    }
    if (count > before) moved = asked;
    before = count;
    signal.throwIfAborted();
    if (asked - moved > STUCK_MS) throw new Error(`nothing moves: the target holds ${count} of ${expected} records`);
    await sleep(EVERY_MS);
  }
}
