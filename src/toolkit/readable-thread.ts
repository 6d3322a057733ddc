/** A thread of its own that waits until a descriptor can be read: `poll` blocks, and Node's event loop takes no such descriptor. */
import { parentPort, workerData } from 'node:worker_threads';
import { readableState, type ReadableThreadData } from './readable-state.ts';
import { unixSystemCalls } from './unix-system-calls.ts';

/** How long an order to stop waits at most. */
const POLL_MS = 200;
const POLLIN = 1;

watch(workerData as ReadableThreadData);

/** Says once that something waits, each time that it is asked to watch. */
function watch({ descriptor, state }: ReadableThreadData): void {
  const { poll } = unixSystemCalls();
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(descriptor, 0);
  entry.writeInt16LE(POLLIN, 4);
  for (;;) {
    Atomics.wait(state, 0, readableState.resting);
    if (Atomics.load(state, 0) === readableState.stopped) return;
    if (poll(entry, 1, POLL_MS) <= 0) continue;
    Atomics.compareExchange(state, 0, readableState.watching, readableState.resting);
    parentPort!.postMessage(null);
  }
}
