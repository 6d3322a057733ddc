import { setTimeout as sleep } from 'node:timers/promises';
import { residentMegabytes } from '../../scripts/prove/resident.ts';
import { BulkServer } from '../bulk-server.ts';
import { startHub } from '../hub.ts';
import { hubContestant } from '../hub-contestant.ts';
import type { Contestant, Path, Watch } from '../path.ts';
import type { Measurement } from '../stage.ts';

const SAMPLE_MS = 100;
/** Ten minutes for a run of ten million records. */
const MINUTES_OF_A_MILLION = 1;

/** The sink writes nothing to the disk and the topic keeps little, so that a run may last. */
const pipeline = (index: number, url: string): string => `isolation: thread
sources:
  - generate: { size: 300B }
    partition_by: batch
topic: { name: memory-${index}, partitions: 4, compression: lz4, retention: { size: 64MiB } }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: bench-${index} }
`;

/** The resident memory of one worker at full speed over ten minutes, and of more of them for a tenth of that. */
export const memory: Path = {
  name: 'memory',
  isOnce: true,
  contestants: [contender('sluice, 1 worker', 1, 1), contender('sluice, 3 workers', 3, 0.1)],
};

function contender(system: string, workers: number, share: number): Contestant {
  return hubContestant({
    system,
    codec: 'lz4',
    async measure({ watch }, folder, records) {
      const server = await BulkServer.start(folder);
      try {
        const minutes = (records / 1e6) * MINUTES_OF_A_MILLION * share;
        return await measureMemory({ server, folder, watch }, workers, minutes * 60_000);
      } finally {
        await server.stop();
      }
    },
  });
}

interface Setting {
  readonly server: BulkServer;
  readonly folder: string;
  readonly watch: Watch;
}

async function measureMemory(
  { server, folder, watch }: Setting,
  workers: number,
  lastsMs: number,
): Promise<Measurement> {
  const pipelines = Array.from({ length: workers }, (_each, index) => pipeline(index, server.url));
  const running = await startHub({ folder, kafka: null, pipelines });
  try {
    const before = await running.usage();
    await server.reset();
    await watch.begin(running);
    const samples: number[] = [];
    const started = performance.now();
    while (performance.now() - started < lastsMs) {
      await sleep(SAMPLE_MS);
      const megabytes = await residentMegabytes(running.pid);
      if (megabytes === null) throw new Error(`the hub ended:\n${(await running.output()).slice(-2000)}`);
      samples.push(megabytes);
    }
    const { cpuSeconds, peakRssMegabytes } = await running.usage();
    const { documents } = await server.counts();
    await watch.end(running);
    const seconds = (performance.now() - started) / 1000;
    const middle = Math.floor(samples.length / 2);
    const growth = Math.max(...samples.slice(middle)) - Math.max(...samples.slice(0, middle));
    return {
      recordsPerSecond: documents / seconds,
      cpuSecondsPerMillion: ((cpuSeconds - before.cpuSeconds) / documents) * 1e6,
      startupCpuSeconds: 0,
      peakRssMegabytes,
      more: { minutes: seconds / 60, growth_mb: growth },
    };
  } finally {
    await running.stop();
  }
}
