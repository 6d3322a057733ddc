/**
 * Loaded by node before a hub, in each of its threads (`--import`). When a thread ends it writes below SLUICE_COUNTS what the thread did: bytes that
 * buffers were copied, bytes of buffers that were made, bytes of objects; the main thread adds the system calls of the process.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Session, type HeapProfiler } from 'node:inspector';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

const SAMPLE_BYTES = 4096;
const counts = { copied: 0, buffers: 0, objects: 0 };

replace(Buffer.prototype as object, 'copy', (copied) => (counts.copied += copied as number));
replace(Uint8Array.prototype, 'set', (_, from) => (counts.copied += (from as ArrayLike<number>).length));
replace(Buffer, 'concat', (whole) => {
  counts.copied += (whole as Buffer).length;
  counts.buffers += (whole as Buffer).length;
});
for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'])
  replace(Buffer, name, (buffer) => (counts.buffers += (buffer as Buffer).length));

const session = new Session();
session.connect();
const sampling = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLE_BYTES, ...sampling });

process.on('exit', () => {
  session.post('HeapProfiler.stopSampling', (_, { profile }) => (counts.objects = sizeOf(profile.head)));
  const calls = isMainThread ? systemCalls() : 0;
  writeFileSync(join(process.env.SLUICE_COUNTS!, `${threadId}.json`), JSON.stringify({ ...counts, calls }));
});

/** By a function that does the same, and has `note` called with its result and first parameter. It makes no object of its own, which would be counted. */
function replace(owner: object, name: string, note: (result: unknown, first: unknown) => void): void {
  const functions = owner as Record<string, (...parameters: unknown[]) => unknown>;
  const original = functions[name]!;
  functions[name] = function (this: unknown, first, second, third, fourth) {
    const result = original.call(this, first, second, third, fourth);
    note(result, first);
    return result;
  };
}

function sizeOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize);
}

/** Reads and writes of files and sockets, by all threads (proc(5)). */
function systemCalls(): number {
  const text = readFileSync('/proc/self/io', 'utf8');
  const [reads, writes] = ['syscr', 'syscw'].map((name) => Number(new RegExp(`${name}: (\\d+)`).exec(text)![1]));
  return reads! + writes!;
}
