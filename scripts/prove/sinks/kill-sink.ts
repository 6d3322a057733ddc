import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, HubProcess, type Hub } from '../hub.ts';
import type { Servers } from '../kafka/servers.ts';
import { until } from '../kafka/waiting.ts';
import { moments, type Proof, type Result } from '../proof.ts';
import type { Feed } from './feed.ts';
import { judgeTarget } from './judge-target.ts';
import type { Target } from './target.ts';

/** Where the records come from and where they go to. */
interface Way {
  readonly feed: Feed;
  readonly target: Target;
}

export interface KillOptions {
  /** Of the pipeline and its topic. */
  readonly name: string;
  readonly open: (place: { readonly hubFolder: string; readonly name: string }, servers: Servers) => Promise<Way>;
}

const WITHIN_MS = 300_000;
/** Counting makes the server commit. */
const LOOK_MS = 500;

/** Numbered records through a sink, the hub killed and the server restarted meanwhile: each is there once, unchanged. */
export function proveKilledSink({ name, open }: KillOptions): (proof: Proof, servers: Servers) => Promise<Result> {
  return async (proof, servers) => {
    const { folder, lines } = proof;
    const { feed, target } = await open({ hubFolder: folder, name }, servers);
    const pipeline = `name: ${name}\n${feed.sources}topic: { name: ${name}, partitions: 4 }\nsinks:\n${target.sink}`;
    const hub = await createHub(folder, pipeline, feed.settings);
    let life = new HubProcess(hub, ['run']);
    const holds = (records: number): Promise<void> =>
      until(`${records} records are there`, async () => (await target.count()) >= records, {
        hubs: [life],
        deadlineMs: WITHIN_MS,
        everyMs: LOOK_MS,
      });
    try {
      const started = performance.now();
      const stops = moments(proof, lines);
      const restartAt = Math.floor(stops.length / 2);
      for (const [index, moment] of stops.entries()) {
        // So that there is always something on its way when the hub is killed.
        await feed.growTo(stops[index + 1] ?? lines);
        if (index === restartAt) await target.restart?.();
        await holds(moment);
        await life.kill();
        life = new HubProcess(hub, ['run']);
      }
      await feed.growTo(lines);
      await holds(lines);
      await settled(target);
      const behind = await stopped(hub, life, name);
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      const judged = await judgeTarget({ feed, target, records: lines });
      return {
        ...judged,
        note: [
          `${stops.length} kills`,
          ...(target.restart === null ? [] : ['one restart']),
          judged.note,
          `${seconds} s`,
        ].join('; '),
        problems: [...judged.problems, ...behind],
      };
    } finally {
      await life.kill();
      await feed.close();
      await target.end();
    }
  };
}

/** Until nothing more comes: what is there twice may hide something that is still on its way. */
async function settled(target: Target): Promise<void> {
  let before = -1;
  for (let now = await target.count(); now !== before; now = await target.count()) {
    before = now;
    await sleep(2000);
  }
}

/** Ends the hub as operators do. Afterwards the group of the sink stands at the end of the topic. */
async function stopped(hub: Hub, life: HubProcess, name: string): Promise<readonly string[]> {
  await until('the hub is ready', async () => (await readiness(hub)) === 200, { hubs: [life], deadlineMs: 60_000 });
  const code = await life.kill('SIGTERM');
  const asking = new HubProcess(hub, ['offsets', 'get', name, '--json']);
  await asking.ended;
  const { sinks } = JSON.parse(asking.output) as { readonly sinks: readonly { readonly lag: number }[] };
  const lag = sinks.reduce((sum, sink) => sum + sink.lag, 0);
  return [
    ...(code === 0 ? [] : [`the hub ended with ${code}: ${life.output.slice(-500)}`]),
    ...(lag === 0 ? [] : [`the sink is ${lag} records behind the end of the topic`]),
  ];
}

async function readiness({ apiPort }: Hub): Promise<number | null> {
  return (await fetch(`http://127.0.0.1:${apiPort}/ready`).catch(() => null))?.status ?? null;
}
