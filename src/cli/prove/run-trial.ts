import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashPoint } from '../../telemetry/index.ts';
import type { NetworkFaults } from './faults.ts';
import type { PlannedTrial } from './plan-trial.ts';
import { TrialProcess } from './trial-process.ts';
import { TrialFailed } from './trial.ts';

/** A point that a life does not come by is no reason to wait longer. */
const LONGEST_LIFE_MS = 8000;
/** From a sign of work to a kill: longer than sinks may wait for their offsets to be committed, so that what was acknowledged too early is gone. */
const LONGEST_WAIT_MS = 2500;
const RECOVERY_MS = 60_000;
const SLICES = 100;
const SLICE_MS = 25;

/** Of all input, fed within one life. */
interface Shares {
  readonly from: number;
  readonly to: number;
}

export interface TrialCourse {
  readonly kills: number;
  /** Every second life ends at one of these, in turns. */
  readonly crashPoints: readonly CrashPoint[];
  readonly random: () => number;
  readonly network: NetworkFaults;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts when the user wants no more. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface Course {
  /** How each life ended. */
  readonly ends: readonly string[];
  /** Milliseconds from the start of a process to its first delivered record, of those lives that came so far. */
  readonly recoveries: readonly number[];
}

/** Lives that end badly, with input that grows meanwhile, and a last one to the end of all input. Rejects when that is not reached. */
export async function runTrial(trial: PlannedTrial, course: TrialCourse): Promise<Course> {
  const [ends, recoveries]: [string[], number[]] = [[], []];
  const { kills, random, crashPoints, say } = course;
  const first = Math.floor(random() * crashPoints.length);
  for (let life = 0; life < kills; life++) {
    const point = life % 2 === 0 ? null : crashPoints[(first + (life >> 1)) % crashPoints.length]!;
    const { end, recoveryMs } = await badLife(trial, course, {
      point,
      from: life / (kills + 1),
      to: (life + 1) / (kills + 1),
    });
    ends.push(end);
    if (recoveryMs !== null) recoveries.push(recoveryMs);
    say(
      `life ${life + 1} of ${kills}: ${end}${recoveryMs === null ? '' : `, delivered after ${(recoveryMs / 1000).toFixed(1)} s`}`,
    );
  }
  const recoveryMs = await lastLife(trial, course);
  if (recoveryMs !== null) recoveries.push(recoveryMs);
  return { ends, recoveries };
}

async function badLife(
  trial: PlannedTrial,
  { random, network, env, signal }: TrialCourse,
  { point, ...shares }: { readonly point: CrashPoint | null } & Shares,
): Promise<{ end: string; recoveryMs: number | null }> {
  signal.throwIfAborted();
  const crashAt = point === null ? null : `${point}:${1 + Math.floor(random() * 4)}`;
  const process = new TrialProcess({ ...trial, mode: 'run', crashAt, env });
  const over = new AbortController();
  const within = AbortSignal.any([over.signal, signal]);
  const accompanied = [network.run(random, within), feedSlowly(trial, shares, within)];
  try {
    const recovery = process.recovered(within);
    const deadline = sleep(LONGEST_LIFE_MS, undefined, { signal: within }).catch(() => undefined);
    if (point === null) {
      // In the midst of it, or when something has arrived.
      const begun = random() < 0.5 ? recovery : process.tookIn(within);
      await Promise.race([begun, deadline, process.ended]);
      await sleep(random() * LONGEST_WAIT_MS, undefined, { signal: within }).catch(() => undefined);
    } else await Promise.race([process.ended, deadline]);
    const wasAlive = process.isAlive;
    if (!wasAlive && (await process.ended).signal !== 'SIGKILL') throw endedByItself(process);
    await process.kill();
    over.abort();
    return { end: point === null || wasAlive ? 'killed' : `ended itself at ${crashAt!}`, recoveryMs: await recovery };
  } finally {
    over.abort();
    await process.kill();
    await Promise.all(accompanied);
  }
}

/** What comes to a listener needs a hub that listens; then everything is worked off to the end. */
async function lastLife(trial: PlannedTrial, { env, signal }: TrialCourse): Promise<number | null> {
  signal.throwIfAborted();
  await feedTo(trial, 1);
  const serving = new TrialProcess({ ...trial, mode: 'run', crashAt: null, env });
  let recoveryMs: number | null;
  try {
    recoveryMs = await serving.recovered(AbortSignal.any([signal, AbortSignal.timeout(RECOVERY_MS)]));
    const settled = Promise.all(trial.sources.map((source) => source.settled()));
    await Promise.race([settled, serving.ended, abortedBy(signal)]);
    if (!serving.isAlive) throw endedByItself(serving);
  } finally {
    await serving.kill('SIGTERM');
  }
  signal.throwIfAborted();
  const draining = new TrialProcess({ ...trial, mode: 'once', crashAt: null, env });
  const { code } = await Promise.race([draining.ended, abortedBy(signal)]).finally(() => draining.kill());
  // 3: some became dead letters, which are looked for.
  if (code !== 0 && code !== 3) throw endedByItself(draining);
  return recoveryMs;
}

function endedByItself(process: TrialProcess): TrialFailed {
  return new TrialFailed(`the pipeline ended by itself:\n${process.log.trimEnd()}`);
}

/** Input comes all the time, not at once. */
async function feedSlowly(trial: PlannedTrial, { from, to }: Shares, signal: AbortSignal): Promise<void> {
  for (let slice = 1; slice <= SLICES && !signal.aborted; slice++) {
    await feedTo(trial, from + ((to - from) * slice) / SLICES);
    await sleep(SLICE_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function feedTo({ sources }: PlannedTrial, share: number): Promise<void> {
  await Promise.all(sources.map((source) => source.feed(Math.max(0, Math.floor(source.count * share)))));
}

function abortedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
