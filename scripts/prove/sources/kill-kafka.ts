import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Servers } from '../kafka/servers.ts';
import { openClient, produce } from '../kafka/topics.ts';
import { moments, type Proof, type Result } from '../proof.ts';
import { SourceRun } from './source-run.ts';

const NAME = 'sources-kill-kafka';
const FROM = `${NAME}-from`;
const PARTITIONS = 4;
const AT_ONCE = 500;

/** From one topic into another, exactly once, the hub killed meanwhile. */
export async function proveKilledKafka(proof: Proof, servers: Servers): Promise<Result> {
  const { folder, lines } = proof;
  const { brokers } = await servers.shared('kafka');
  const client = openClient(brokers);
  try {
    await client.createTopic({ name: FROM, partitions: PARTITIONS, replicationFactor: 1 });
    const entry = `kafka: { brokers: ['${brokers}'], topics: ['${FROM}'], client: { session_timeout: 6s } }\n    delivery: exactly_once`;
    const listeners = { kafka: (): string => entry };
    const run = await SourceRun.start({ folder: join(folder, 'hub'), name: NAME, listeners, brokers });
    try {
      const stops = moments(proof, lines);
      let written = 0;
      const growTo = async (end: number): Promise<void> => {
        while (written < end) {
          const count = Math.min(AT_ONCE, end - written);
          const first = written;
          const values = Array.from({ length: count }, (_each, at) => `{"n":${first + at}}`);
          await produce(client, FROM, Math.floor(first / AT_ONCE) % PARTITIONS, values);
          written += count;
        }
      };
      for (const [index, moment] of stops.entries()) {
        await growTo(stops[index + 1] ?? moment);
        while (run.life.alive && (await run.stored()) < moment) await sleep(20);
        await run.killed();
      }
      await growTo(lines);
      await run.holdsEach(lines);
      const { strange, reordered, ...counted } = await run.count({ expected: lines });
      return {
        ...counted,
        expected: lines,
        note: `${stops.length} kills`,
        problems: [
          ...(strange > 0 ? [`${strange} records that nobody sent`] : []),
          ...(reordered > 0 ? [`${reordered} records out of order`] : []),
        ],
        unjudged: [],
      };
    } finally {
      await run.end();
    }
  } finally {
    await client.close();
  }
}
