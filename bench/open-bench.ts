import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './folders.ts';
import { linesFile } from './lines.ts';
import { type Bench, unwatched, type Watch } from './path.ts';
import { BenchServers } from './servers.ts';
import { Topics } from './topics.ts';

interface Options {
  /** A cluster that is there; null for that of the services. */
  readonly brokers: string | null;
  readonly watch?: Watch;
}

/** Opens what all runs share, hands it on, and ends it whatever happens. */
export async function withBench<Result>(options: Options, use: (bench: Bench) => Promise<Result>): Promise<Result> {
  const servers = new BenchServers();
  await mkdir(cacheFolder(), { recursive: true });
  // On the file system of the cache, so that input files are further names of cached ones.
  const folder = await mkdtemp(join(cacheFolder(), 'run-'));
  try {
    const brokers = options.brokers ?? (await servers.address('kafka')).brokers;
    const topics = new Topics(brokers);
    try {
      const filled = new Map<number, Promise<string>>();
      return await use({
        folder,
        brokers,
        topics,
        watch: options.watch ?? unwatched,
        lines: linesFile,
        filledTopic(records) {
          const topic = filled.get(records) ?? fill(topics, records);
          filled.set(records, topic);
          return topic;
        },
        elasticsearch: async () => (await servers.address('elasticsearch')).url,
      });
    } finally {
      await topics.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    await servers.end();
  }
}

async function fill(topics: Topics, records: number): Promise<string> {
  const topic = await topics.create('filled');
  if (records > 0) await topics.fill(topic, await linesFile(records));
  return topic;
}
