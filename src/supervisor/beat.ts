import { getHeapStatistics } from 'node:v8';

const KIB = 1024;

/** How a worker shows, in shared memory, that its event loop turns and what it uses: readable while the worker is blocked. */
export type Beat = Int32Array<SharedArrayBuffer>;

const COUNT = 0;
const MEMORY_KIB = 1;

export function createBeat(): Beat {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
}

/** Four beats to miss before the watchdog bites; once a second is often enough for numbers on a screen. */
export function beatIntervalMs(watchdogMs: number): number {
  return Math.max(20, Math.min(1000, watchdogMs / 4));
}

/** In the worker. */
export function beatOnce(beat: Beat): void {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  Atomics.store(beat, MEMORY_KIB, Math.round((heap + external) / KIB));
  Atomics.add(beat, COUNT, 1);
}

/** How often it beat; wraps around. */
export function beatCount(beat: Beat): number {
  return Atomics.load(beat, COUNT);
}

/** Heap and external memory in bytes at the last beat. */
export function beatMemory(beat: Beat): number {
  return Atomics.load(beat, MEMORY_KIB) * KIB;
}
