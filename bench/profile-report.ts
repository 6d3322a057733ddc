import { readdir, readFile } from 'node:fs/promises';
import type { HeapProfiler, Profiler, Runtime } from 'node:inspector/promises';
import { join } from 'node:path';
import { textTable } from './columns.ts';

const FUNCTIONS = 25;
const SITES = 15;
/** A thread that did less is named in one line. */
const BUSY = 0.02;

interface Thread {
  readonly name: string;
  /** Share of the time in which its event loop was at work. */
  readonly utilization: number;
  readonly delay_ms: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** What each thread of the hub did, from the files that `processes/profiler.ts` wrote. */
export async function profileReport(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const parts: string[] = [];
  for (const name of names) {
    const thread = JSON.parse(await readFile(join(folder, name), 'utf8')) as Thread;
    const { utilization, delay_ms: delay } = thread;
    const head =
      `thread ${thread.name}: event loop at work ${(utilization * 100).toFixed(0)} % of the time; ` +
      `its delay in ms: p50 ${delay.p50.toFixed(1)}, p99 ${delay.p99.toFixed(1)}, max ${delay.max.toFixed(1)}`;
    if (utilization < BUSY) parts.push(head);
    else parts.push([head, await cpuPart(folder, thread.name), await heapPart(folder, thread.name)].join('\n\n'));
  }
  return parts.join('\n\n');
}

async function cpuPart(folder: string, thread: string): Promise<string> {
  const profile = JSON.parse(await readFile(join(folder, `${thread}.cpuprofile`), 'utf8')) as Profiler.Profile;
  const { shares, seconds } = selfTimes(profile);
  const rows = shares
    .slice(0, FUNCTIONS)
    .map(({ place, share }) => [`${(share * 100).toFixed(1)} %`, (share * seconds).toFixed(2), place]);
  return textTable({ titles: ['self time', 'seconds', 'function'], rows, numbers: [0, 1] });
}

/** Of the time in which the thread was not idle. */
export function selfTimes(profile: Profiler.Profile): {
  readonly seconds: number;
  readonly shares: readonly { readonly place: string; readonly share: number }[];
} {
  const callers = new Map(
    profile.nodes.flatMap(({ children = [], callFrame }) => children.map((id) => [id, callFrame])),
  );
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, selfPlace(callFrame, callers.get(id))]));
  const times = new Map<string, number>();
  const { samples = [], timeDeltas = [] } = profile;
  for (const [index, id] of samples.entries()) {
    const place = places.get(id)!;
    times.set(place, (times.get(place) ?? 0) + (timeDeltas[index] ?? 0));
  }
  times.delete('(idle)');
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  const shares = [...times]
    .map(([place, time]) => ({ place, share: time / total }))
    .sort((one, other) => other.share - one.share);
  return { seconds: total / 1e6, shares };
}

async function heapPart(folder: string, thread: string): Promise<string> {
  const { head } = JSON.parse(
    await readFile(join(folder, `${thread}.heapprofile`), 'utf8'),
  ) as HeapProfiler.SamplingHeapProfile;
  const sites = allocations(head);
  const total = sites.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = sites
    .slice(0, SITES)
    .map(({ place, bytes }) => [`${((bytes / total) * 100).toFixed(1)} %`, (bytes / 2 ** 20).toFixed(1), place]);
  return textTable({
    titles: [
      'allocated',
      'MiB',
      `function (of ${(total / 2 ** 20).toFixed(0)} MiB on the heap, buffers' bytes left out)`,
    ],
    rows,
    numbers: [0, 1],
  });
}

/** Bytes by function, what was collected since included. */
export function allocations(
  head: HeapProfiler.SamplingHeapProfileNode,
): readonly { readonly place: string; readonly bytes: number }[] {
  const sizes = new Map<string, number>();
  const visit = (node: HeapProfiler.SamplingHeapProfileNode): void => {
    const place = placeOf(node.callFrame);
    sizes.set(place, (sizes.get(place) ?? 0) + node.selfSize);
    node.children.forEach(visit);
  };
  visit(head);
  return [...sizes]
    .filter(([, bytes]) => bytes > 0)
    .map(([place, bytes]) => ({ place, bytes }))
    .sort((one, other) => other.bytes - one.bytes);
}

/** V8 gives the native functions of all packages one name, that of the first: only who called tells them apart. */
function selfPlace(frame: Runtime.CallFrame, caller: Runtime.CallFrame | undefined): string {
  const isNative = frame.url === '' && !frame.functionName.startsWith('(') && caller !== undefined && caller.url !== '';
  return isNative ? `native ${frame.functionName}, called by ${placeOf(caller)}` : placeOf(frame);
}

/** `name file:line`, the file within the package. */
function placeOf({ functionName, url, lineNumber }: Runtime.CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  return `${name} ${url.replace(/^file:\/\/.*?\/(dist|node_modules)\//, '')}:${lineNumber + 1}`;
}
