import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './folders.ts';
import { linesFile } from './lines.ts';
import { type Bench, unwatched, type Watch } from './path.ts';
import { endPrograms } from './process.ts';
import { BenchServers } from './servers.ts';
import { Topics } from './topics.ts';

interface Options {
  /** Of a run at the most. */
  readonly records: number;
  /** A cluster that is there; null for that of the services. */
  readonly brokers: string | null;
  readonly watch?: Watch;
}

/** The lines, a topic of them, and what is deleted and still there. */
const BYTES_OF_A_RECORD = 4 * 300;
const RESERVE_BYTES = 2e9;

/** Opens what all runs share, hands it on, and ends it whatever happens, SIGINT and SIGTERM too. */
export async function withBench<Result>(options: Options, use: (bench: Bench) => Promise<Result>): Promise<Result> {
  await mkdir(cacheFolder(), { recursive: true });
  await assertRoom(options.records);
  // On the file system of the cache, so that input files are further names of cached ones.
  const folder = await mkdtemp(join(cacheFolder(), 'run-'));
  const servers = new BenchServers();
  let topics: Topics | null = null;
  let ended: Promise<void> | null = null;
  const end = async (): Promise<void> => {
    await endPrograms();
    await topics?.close();
    // The run that was cut off may still take its own folder away.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    await servers.end();
  };
  const onSignal = (): void => {
    ended ??= end();
    void ended.finally(() => process.exit(130));
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const brokers = options.brokers ?? (await servers.address('kafka')).brokers;
    const opened = (topics = new Topics(brokers));
    const filled = new Map<number, Promise<string>>();
    return await use({
      folder,
      brokers,
      topics: opened,
      watch: options.watch ?? unwatched,
      lines: linesFile,
      filledTopic(records) {
        const topic = filled.get(records) ?? fill(opened, records);
        filled.set(records, topic);
        return topic;
      },
      elasticsearch: async () => (await servers.address('elasticsearch')).url,
    });
  } finally {
    await (ended ??= end());
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** A full disk ends brokers, and not only ours. */
async function assertRoom(records: number): Promise<void> {
  const { bavail, bsize } = await statfs(cacheFolder());
  const needed = records * BYTES_OF_A_RECORD + RESERVE_BYTES;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  if (bavail * bsize >= needed) return;
  const [free, wanted] = [gigabytes(bavail * bsize), gigabytes(needed)];
  throw new Error(`${cacheFolder()} has ${free} free, and ${wanted} are needed: take fewer --records`);
}

async function fill(topics: Topics, records: number): Promise<string> {
  const topic = await topics.create('filled');
  if (records > 0) await topics.fill(topic, await linesFile(records));
  return topic;
}
