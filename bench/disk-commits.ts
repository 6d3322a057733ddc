import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LatencyHistogram } from './latency-histogram.ts';
import type { Bench, Contestant } from './path.ts';
import type { Measurement } from './stage.ts';

const LINE_BYTES = 300;
const FRAME_BYTES = 200;
/** Lines become due together for as long. */
const TICK_MS = 5;

interface Rate {
  readonly recordsPerSecond: number;
  readonly seconds: number;
}

/**
 * What the disk alone does to lines that come at a rate: each commit writes those that are due and makes them durable, then a frame, as the embedded log
 * does; the latency is from when a line was due until its commit was over. A disk that stops for 300 ms shows here, whoever writes to it.
 */
export function diskAlone(rate: Rate): Contestant {
  return {
    system: 'disk alone',
    codec: 'none',
    missing: () => Promise.resolve(null),
    run: (bench) => measureDisk(bench, rate),
  };
}

async function measureDisk(bench: Bench, { recordsPerSecond, seconds }: Rate): Promise<Measurement> {
  const folder = await mkdtemp(join(bench.folder, 'disk-'));
  const [segment, journal] = [await open(join(folder, 'segment'), 'a'), await open(join(folder, 'journal'), 'a')];
  try {
    const latencies = new LatencyHistogram();
    const [ticks, linesOfTick] = [(seconds * 1000) / TICK_MS, (recordsPerSecond * TICK_MS) / 1000];
    const frame = Buffer.alloc(FRAME_BYTES);
    const started = performance.now();
    for (let done = 0; done < ticks;) {
      const due = Math.min(ticks, Math.floor((performance.now() - started) / TICK_MS));
      if (due > done) {
        await segment.write(Buffer.alloc((due - done) * linesOfTick * LINE_BYTES));
        await segment.datasync();
        await journal.write(frame);
        await journal.datasync();
        const over = performance.now() - started;
        for (; done < due; done++) latencies.add(1000 * (over - (done + 1) * TICK_MS));
      }
      await sleep(1);
    }
    const { p50, p99, max } = latencies.summary();
    return {
      recordsPerSecond: (ticks * linesOfTick) / ((performance.now() - started) / 1000),
      cpuSecondsPerMillion: 0,
      startupCpuSeconds: 0,
      peakRssMegabytes: 0,
      more: { latency_p50_ms: p50 / 1000, latency_p99_ms: p99 / 1000, latency_max_ms: max / 1000 },
    };
  } finally {
    await segment.close();
    await journal.close();
    await rm(folder, { recursive: true, force: true });
  }
}
