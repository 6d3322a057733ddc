import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDataFolder } from '../../src/log/index.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import { createHub, type Hub, HubProcess, listening } from './hub.ts';
import { moments, type Proof, type Result } from './proof.ts';
import { countPublished } from './published.ts';
import { judgeSegments, verdictOf } from './segments.ts';
import { clients, recordsPerPost, Traffic } from './traffic.ts';

/**
 * Clients post numbered records until each post is acknowledged, while the hub is killed. With keys a client repeats a post under its
 * `Idempotency-Key`, so nothing may be there twice; without, repeats are the client's and only loss counts.
 */
export async function provePosts(proof: Proof, withKeys: boolean): Promise<Result> {
  const { folder, lines, random } = proof;
  const [port] = (await freePorts(1)) as [number];
  const hub = await createHub(folder, pipeline(port));
  const posts = Math.ceil(lines / recordsPerPost);
  const traffic = new Traffic(port, posts, withKeys);
  let life = new HubProcess(hub, ['run']);
  await listening(life, port);
  const sent = traffic.run();
  // Told by the await below; until then nobody listens to it.
  sent.catch(() => undefined);
  const stops = moments(proof, posts);
  for (const [index, moment] of stops.entries()) {
    // Enough to come to the next moment with posts in flight, and never the last one: every kill comes before the end.
    traffic.allowed = Math.min(posts - 1, (stops[index + 1] ?? moment) + clients);
    while (traffic.acknowledged < moment && !traffic.isOver && life.alive) await sleep(1);
    // The moment may have passed in the life before, or while this one started.
    if (!life.alive) throw new Error(`the hub ended by itself:\n${life.output}`);
    await sleep(random() * 30);
    await life.kill();
    life = new HubProcess(hub, ['run']);
    await listening(life, port);
  }
  traffic.allowed = posts;
  await sent;
  await settled(hub, life);
  const code = await life.kill('SIGTERM');
  const { strange, ...count } = await countPublished(join(folder, 'out'), posts * recordsPerPost);
  const judged = verdictOf(await judgeSegments(hub.dataDir), withKeys ? posts * recordsPerPost : null);
  const problems = [
    ...(code === 0 ? [] : [`the hub ended with ${code}`]),
    ...(strange > 0 ? [`${strange} torn or foreign lines`] : []),
    ...judged.problems,
  ];
  const repeats = withKeys ? '' : `, ${count.duplicated} records there again by them`;
  return {
    ...count,
    duplicated: withKeys ? count.duplicated : 0,
    expected: posts * recordsPerPost,
    note: `${stops.length} kills, ${traffic.repeated} posts repeated${repeats}; ${judged.note}`,
    problems,
    unjudged: judged.unjudged,
  };
}

const pipeline = (port: number): string => `name: prove
sources:
  - http: { listen: '127.0.0.1:${port}' }
topic: { name: posts, partitions: 4 }
sinks:
  - file: { path: out, format: ndjson, roll: { size: 1MiB, age: 1s, idle: 200ms } }
`;

/** Waits until the sink has saved that it has everything: what the data folder itself says, for a status may be old. */
async function settled(hub: Hub, life: HubProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { topics, pipelines } = await readDataFolder({ dataDir: hub.dataDir });
    const ends = topics.find(({ name }) => name === 'posts')?.ends ?? [];
    const sinks = pipelines.flatMap((pipeline) => pipeline.sinks);
    if (
      ends.every(
        (end, partition) => end === 0 || sinks.some((sink) => sink.partition === partition && sink.next === end),
      )
    )
      return;
    if (Date.now() > deadline || !life.alive) throw new Error(`the sink does not catch up:\n${life.output}`);
    await sleep(50);
  }
}
