import { setTimeout as sleep } from 'node:timers/promises';
import type { NumberedLines } from '../numbered-lines.ts';
import type { Watch } from './watch.ts';

/** An outage is so long at full size, and shorter with fewer lines. */
const LONGEST_MS = 60_000;
const SHORTEST_MS = 4000;
const LINES_PER_SECOND = 2500;
/** Heap, code and buffers while it catches up. */
const LIMIT_MB = 400;
/** What an outage may take: the record buffers (48 MiB) fill, and nothing else. */
const GROWTH_MB = 64;

export interface Plan {
  readonly outageMs: number;
  /** The load goes on for as long: before, during and after the outage. */
  readonly loadMs: number;
}

export function planFor(lines: number): Plan {
  const outageMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ((lines / LINES_PER_SECOND) * 1000) / 2));
  return { outageMs, loadMs: 2 * outageMs };
}

/** Grows evenly, whatever else happens. `also` is told the part that is due, from 0 to 1. */
export async function growEvenly(
  input: NumberedLines,
  { lines, overMs, also = () => undefined }: { lines: number; overMs: number; also?: (part: number) => void },
): Promise<void> {
  const started = performance.now();
  for (let part = 0; part < 1;) {
    await sleep(50);
    part = Math.min(1, (performance.now() - started) / overMs);
    await input.growTo(Math.floor(part * lines));
    also(part);
  }
}

/** Did the hub stay small, say what it waited for, and refuse nothing? */
export function judgeWatch(watch: Watch, wanted: readonly string[]): readonly string[] {
  const said = [...watch.reasons];
  return [
    ...(watch.mostMegabytes > LIMIT_MB ? [`resident memory went above ${LIMIT_MB} MB`] : []),
    ...(watch.grownMegabytes > GROWTH_MB ? [`resident memory grew by more than ${GROWTH_MB} MB in the outage`] : []),
    ...(watch.deadLettered > 0 ? [`${watch.deadLettered} dead letters`] : []),
    ...wanted
      .filter((words) => !said.some((reason) => reason.includes(words)))
      .map((words) => `the status never said "${words}", but ${said.join(' | ')}`),
  ];
}

export function noteOf(watch: Watch): string {
  const reasons = [...watch.reasons].map((reason) => `"${reason}"`).join(', ');
  const [most, grown] = [Math.round(watch.mostMegabytes), Math.round(watch.grownMegabytes)];
  return `resident memory at most ${most} MB, ${grown} MB more in the outage; the status said ${reasons}`;
}
