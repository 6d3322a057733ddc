import { join } from 'node:path';
import { arrival } from '../arrival.ts';
import { GrowingFiles, LineReader } from '../growing-files.ts';
import { startHub } from '../hub.ts';
import { hubContestant } from '../hub-contestant.ts';
import type { Bench, Path } from '../path.ts';
import type { Measurement } from '../stage.ts';
import { PARTITIONS } from '../topics.ts';

const pipeline = (folder: string, topic: string): string => `sources:
  - file: { include: ['${folder}/in/*.log*'] }
    partition_by: batch
topic: { name: ${topic}, partitions: ${PARTITIONS}, compression: lz4 }
`;

/** The lines of `file-kafka` in a thousand files that grow while they are read, each at its own pace, some of them rotated. */
export const thousandFiles: Path = {
  name: 'thousand-files',
  contestants: [hubContestant({ system: 'sluice', codec: 'lz4', measure: measureFiles })],
};

async function measureFiles(bench: Bench, folder: string, records: number): Promise<Measurement> {
  const { brokers, topics, watch } = bench;
  const { file } = await bench.lines(records + GrowingFiles.count);
  const lines = await LineReader.open(file);
  const topic = await topics.create('thousand');
  const files = new GrowingFiles(join(folder, 'in'));
  await files.create(lines);
  const running = await startHub({ folder, kafka: { brokers, topic }, pipelines: [pipeline(folder, topic)] });
  try {
    const holds = (): Promise<number> => topics.holds(topic);
    await running.until(async () => (await holds()) === GrowingFiles.count, 'the first line of each file', 300_000);
    const found = await running.usage();
    await watch.begin(running);
    const over = new AbortController();
    const arrived = async (): Promise<number> => (await holds()) - GrowingFiles.count;
    const arriving = arrival({ expected: records, arrived }, over.signal);
    // Told by the await below; until then nobody listens to it.
    arriving.catch(() => undefined);
    try {
      await files.grow(lines, records);
    } catch (error) {
      over.abort();
      throw error;
    }
    const seconds = await arriving;
    const { cpuSeconds, peakRssMegabytes } = await running.usage();
    await watch.end(running);
    return {
      recordsPerSecond: records / seconds,
      cpuSecondsPerMillion: ((cpuSeconds - found.cpuSeconds) / records) * 1e6,
      startupCpuSeconds: found.cpuSeconds,
      peakRssMegabytes,
    };
  } finally {
    await lines.close();
    await running.stop();
    await topics.remove(topic);
  }
}
