import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crashPaths, type CrashPath } from '../crashes/crash-paths.ts';
import { crashRun, type CrashRun } from '../crashes/crash-run.ts';
import type { Servers } from '../kafka/servers.ts';
import { openClient } from '../kafka/topics.ts';
import type { Proof, Result } from '../proof.ts';

/** A life waits most of its time for its point. */
const AT_ONCE = 5;

/** A hub ended at each point of a path, once with each of `kills` seeds, the input growing all the while. */
export function proveCrashPoints(path: keyof typeof crashPaths): (proof: Proof, servers: Servers) => Promise<Result> {
  const way: CrashPath = crashPaths[path];
  return async ({ folder, kills: seeds, seed }, servers) => {
    const { brokers } = await servers.shared('kafka');
    const client = openClient(brokers);
    const runs: (CrashRun & { readonly seed: number })[] = [];
    let next = 0;
    const prove = async (): Promise<void> => {
      while (next < seeds) {
        const own = seed + next++;
        const name = `crash-${path.toLowerCase()}-${own}`;
        const place = { folder: join(folder, name), brokers, client, name };
        await mkdir(place.folder, { recursive: true });
        runs.push({ ...(await crashRun(way, place, { seed: own })), seed: own });
        await rm(place.folder, { recursive: true, force: true });
        for (const topic of await client.topics(null))
          if (topic.name.startsWith(name)) await client.deleteTopic(topic.name);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, prove));
    } finally {
      await client.close();
    }
    return judged(way, runs);
  };
}

function judged({ isExactlyOnce }: CrashPath, runs: readonly (CrashRun & { readonly seed: number })[]): Result {
  const sum = (of: 'rows' | 'lost' | 'duplicated' | 'strange' | 'reordered'): number =>
    runs.reduce((all, { count }) => all + count[of], 0);
  const missed = runs.reduce((all, { notReached }) => all + notReached.length, 0);
  const lives = runs.reduce((all, run) => all + run.lives, 0);
  const repeated = isExactlyOnce ? '' : `; ${sum('duplicated')} twice, which is allowed here`;
  const wrong = runs.filter(
    ({ count }) => count.lost + count.strange > 0 || (isExactlyOnce && count.duplicated + count.reordered > 0),
  );
  return {
    expected: sum('rows') - sum('duplicated') + sum('lost'),
    rows: sum('rows'),
    lost: sum('lost'),
    duplicated: isExactlyOnce ? sum('duplicated') : 0,
    note: `${runs.length} seeds, ${lives} ends, ${missed} of them not at their point${repeated}`,
    problems: wrong.map(({ seed, count }) => `seed ${seed}: ${JSON.stringify(count)}`),
    unjudged: [],
  };
}
