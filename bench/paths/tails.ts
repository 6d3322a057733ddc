import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { arrival } from '../arrival.ts';
import { startHub } from '../hub.ts';
import { hubContestant } from '../hub-contestant.ts';
import { AccessLog } from '../lines.ts';
import type { Bench, Path } from '../path.ts';
import type { Measurement } from '../stage.ts';
import { PARTITIONS } from '../topics.ts';

const FILES = 10_000;
const FILES_OF_A_FOLDER = 100;
const LINES_OF_A_FILE = 100;
const IDLE_MS = 10_000;

const pipeline = (folder: string, topic: string): string => `sources:
  - file: { include: ['${folder}/in/*/*.log'] }
topic: { name: ${topic}, partitions: ${PARTITIONS}, compression: lz4 }
`;

/** Many files that are followed: what they cost while nothing is written, and when all of them grow. */
export const tails: Path = {
  name: 'tails',
  contestants: [hubContestant({ system: 'sluice, 10,000 files', codec: 'lz4', measure: measureTails })],
};

async function measureTails({ brokers, topics, watch }: Bench, folder: string, records: number): Promise<Measurement> {
  const lines = new AccessLog();
  const files = await createFiles(folder, Math.min(FILES, records), lines);
  const topic = await topics.create('tails');
  const running = await startHub({ folder, kafka: { brokers, topic }, pipelines: [pipeline(folder, topic)] });
  try {
    const holds = (): Promise<number> => topics.holds(topic);
    await running.until(async () => (await holds()) === files.length, 'the first line of each file', 300_000);
    const found = await running.usage();
    await sleep(IDLE_MS);
    const watched = await running.usage();
    await watch.begin(running);
    const each = Math.max(1, Math.min(LINES_OF_A_FILE, Math.floor(records / files.length)));
    const expected = files.length * each;
    const over = new AbortController();
    const arriving = arrival({ expected, arrived: async () => (await holds()) - files.length }, over.signal);
    // Told by the await below; until then nobody listens to it.
    arriving.catch(() => undefined);
    for (const file of files) await appendFile(file, lines.next(each));
    const seconds = await arriving;
    const { cpuSeconds, peakRssMegabytes } = await running.usage();
    await watch.end(running);
    return {
      recordsPerSecond: expected / seconds,
      cpuSecondsPerMillion: ((cpuSeconds - watched.cpuSeconds) / expected) * 1e6,
      startupCpuSeconds: found.cpuSeconds,
      peakRssMegabytes,
      more: { idle_cpu_percent: ((watched.cpuSeconds - found.cpuSeconds) / (IDLE_MS / 1000)) * 100 },
    };
  } finally {
    await running.stop();
    await topics.remove(topic);
  }
}

/** With a line each, by which the source knows them. */
async function createFiles(folder: string, count: number, lines: AccessLog): Promise<string[]> {
  const files: string[] = [];
  for (let index = 0; index < count; index++) {
    const below = join(folder, 'in', String(Math.floor(index / FILES_OF_A_FOLDER)));
    if (index % FILES_OF_A_FOLDER === 0) await mkdir(below, { recursive: true });
    const file = join(below, `${index}.log`);
    await writeFile(file, lines.next(1));
    files.push(file);
  }
  return files;
}
