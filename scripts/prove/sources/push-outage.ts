import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { judgeWatch, noteOf } from '../kafka/outage.ts';
import type { Servers } from '../kafka/servers.ts';
import { Watch } from '../kafka/watch.ts';
import type { Proof, Result } from '../proof.ts';
import { recordsPerPost, Traffic } from '../traffic.ts';
import { AcknowledgedSender, forwardProtocol, lineProtocol } from './acknowledged-sender.ts';
import { SourceRun } from './source-run.ts';

const NAME = 'sources-kafka-away';
const RECORDS_PER_SECOND = 1000;
const KINDS = 3;

const listeners = {
  http: (port: number): string => `http: { listen: '127.0.0.1:${port}' }`,
  fluentd: (port: number): string => `fluentd: { listen: '127.0.0.1:${port}' }`,
  socket: (port: number): string => `socket: { listen: '127.0.0.1:${port}', format: json, acknowledge: true }`,
};

/** The only broker is gone for a third of the load: clients are refused or held, and what they were told is safe is there. */
export async function provePushOutage({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const broker = await servers.own('kafka', 'push-outage');
  const run = await SourceRun.start({
    folder: join(folder, 'hub'),
    name: NAME,
    listeners,
    brokers: broker.where.brokers,
  });
  const watch = new Watch(run.hub, run.life);
  try {
    const share = Math.floor(lines / KINDS / recordsPerPost) * recordsPerPost;
    const expected = share * KINDS;
    const loadMs = (expected / RECORDS_PER_SECOND) * 1000;
    const started = performance.now();
    const due = (): number => Math.floor(Math.min(1, (performance.now() - started) / loadMs) * share);
    const traffic = new Traffic(run.ports.http!, share / recordsPerPost, true);
    const forward = new AcknowledgedSender(forwardProtocol, run.ports.fluentd!);
    const socket = new AcknowledgedSender(lineProtocol, run.ports.socket!);
    const pace = setInterval(() => {
      traffic.allowed = Math.floor(due() / recordsPerPost);
    }, 20);
    const acknowledged = (): number =>
      traffic.acknowledged * recordsPerPost + forward.acknowledged + socket.acknowledged;
    let meanwhile = 0;
    const hurt = async (): Promise<void> => {
      await sleep(loadMs / 3);
      await broker.kill();
      // What the broker took before it was killed is on its way to the clients.
      await sleep(2000);
      const before = acknowledged();
      await watch.growthDuring(sleep(loadMs / 3 - 2000));
      meanwhile = acknowledged() - before;
      await broker.startAgain();
    };
    // Numbers of posts begin at 0, those of the others behind them.
    const load = [traffic.run(), forward.send(share, share, due), socket.send(2 * share, share, due), hurt()];
    await Promise.all(load).finally(() => {
      clearInterval(pace);
    });
    await run.holds(expected);
    const { strange, missing, ...counted } = await run.count({ expected });
    await watch.over();
    return {
      expected,
      rows: counted.rows,
      lost: counted.lost,
      // Lines have no ids: what is sent again is there again.
      duplicated: Math.max(0, counted.duplicated - socket.repeated * share),
      note: `away for ${Math.round(loadMs / 3000)} s, in which nothing was acknowledged; ${traffic.repeated} posts, ${forward.repeated} chunks, ${socket.repeated} runs of lines sent again; ${noteOf(watch)}`,
      problems: [
        ...(meanwhile > 0 ? [`${meanwhile} records were acknowledged while there was no broker`] : []),
        ...(missing.length > 0
          ? [`${missing.join(', ')} … are lost; from ${share} on they are chunks, from ${2 * share} on lines`]
          : []),
        ...(strange > 0 ? [`${strange} records that nobody sent`] : []),
        ...judgeWatch(watch, ['waiting for Kafka: broker ']),
      ],
      unjudged: [],
    };
  } finally {
    await run.end();
    await broker.down();
  }
}
