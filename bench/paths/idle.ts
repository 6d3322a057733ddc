import { setTimeout as sleep } from 'node:timers/promises';
import { startHub } from '../hub.ts';
import { hubContestant } from '../hub-contestant.ts';
import type { Bench, Path } from '../path.ts';
import type { Measurement } from '../stage.ts';

const PIPELINES = 500;
const WATCHED_MS = 20_000;

/** A megabyte, the longest record, for each of the thousand legs, if they come to need it all at once. */
const settings = ['buffer_size: 1GiB'];

const pipeline = (folder: string, index: number): string => `sources:
  - file: { include: ['${folder}/in/${index}/*.log'] }
topic: { name: idle-${index} }
sinks:
  - file: { path: '${folder}/out/${index}' }
`;

/** What many pipelines cost that have nothing to do. */
export const idle: Path = {
  name: 'idle',
  contestants: [hubContestant({ system: 'sluice, 500 pipelines', codec: 'none', measure: measureIdle })],
};

async function measureIdle({ watch }: Bench, folder: string): Promise<Measurement> {
  const pipelines = Array.from({ length: PIPELINES }, (_each, index) => pipeline(folder, index));
  const running = await startHub({ folder, kafka: null, pipelines, settings });
  try {
    const before = await running.usage();
    await watch.begin(running);
    const started = performance.now();
    await sleep(WATCHED_MS);
    const { cpuSeconds, peakRssMegabytes } = await running.usage();
    const seconds = (performance.now() - started) / 1000;
    await watch.end(running);
    return {
      recordsPerSecond: 0,
      cpuSecondsPerMillion: 0,
      startupCpuSeconds: before.cpuSeconds,
      peakRssMegabytes,
      more: { idle_cpu_percent: ((cpuSeconds - before.cpuSeconds) / seconds) * 100 },
    };
  } finally {
    await running.stop();
  }
}
