import { seededRandom, type LedgerCount } from '../../../src/testing/index.ts';
import type { CrashPoint } from '../../../src/telemetry/index.ts';
import { drain, HubProcess, type Hub } from '../hub.ts';
import type { CrashPath, CrashPlace, CrashScene } from './crash-paths.ts';

/** A hub that does not come to its point ends all the same. */
const PATIENCE_MS = 30_000;

export interface CrashRunOptions {
  readonly seed: number;
  /** Default: all of the path. */
  readonly points?: readonly CrashPoint[];
  /** Lives that end at a random moment. */
  readonly randomKills?: number;
}

export interface CrashRun {
  readonly path: string;
  readonly lives: number;
  readonly count: LedgerCount;
  /** Points that a life did not come to. */
  readonly notReached: readonly CrashPoint[];
}

/**
 * One life of a hub for each crash point of a path, each ended there by itself the first, second or third time that it comes there, in an order that the seed
 * decides; the input grows all the while. Then everything is delivered, and whoever is not ours counts what has arrived.
 */
export async function crashRun(path: CrashPath, place: CrashPlace, options: CrashRunOptions): Promise<CrashRun> {
  const random = seededRandom(options.seed);
  const { points = [...path.first, ...path.points], randomKills = 0 } = options;
  const scene = await path.create(place);
  const notReached: CrashPoint[] = [];
  for (const point of ordered(points, path, random)) {
    const time = path.first.includes(point) ? 1 : 1 + Math.floor(random() * 3);
    if (!(await livesTo(`${point}:${time}`, scene))) notReached.push(point);
  }
  for (let kill = 0; kill < randomKills; kill++) await livesFor(1200 + random() * 1500, scene);
  await scene.input.grow();
  await drain(scene.hub, scene);
  return { path: path.name, lives: points.length + randomKills, count: await scene.judge(), notReached };
}

function ordered(points: readonly CrashPoint[], { first }: CrashPath, random: () => number): CrashPoint[] {
  const ranks = new Map(
    points.map((point) => [point, first.includes(point) ? first.indexOf(point) - first.length : random()]),
  );
  return [...points].sort((one, other) => ranks.get(one)! - ranks.get(other)!);
}

/** False when it had to be killed, or ended in another way. */
async function livesTo(crashAt: string, { hub, input }: CrashScene): Promise<boolean> {
  const life = begin(hub, { SLUICE_TESTING: '1', SLUICE_CRASH_AT: crashAt });
  const late = new AbortController();
  const patience = setTimeout(() => {
    late.abort();
    void life.kill();
  }, PATIENCE_MS);
  await input.growUntilEnd(life.ended);
  clearTimeout(patience);
  return !late.signal.aborted && (await life.ended).signal === 'SIGKILL';
}

async function livesFor(ms: number, { hub, input }: CrashScene): Promise<void> {
  const life = begin(hub, {});
  setTimeout(() => void life.kill(), ms);
  await input.growUntilEnd(life.ended);
}

function begin(hub: Hub, env: Readonly<Record<string, string>>): HubProcess {
  return new HubProcess(hub, ['run'], env);
}
