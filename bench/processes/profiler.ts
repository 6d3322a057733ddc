/**
 * Loaded by node before the hub, in each of its threads (`--import`). At the first SIGUSR2 every thread begins to watch itself, at the second it writes what it saw
 * below SLUICE_PROFILE_FOLDER: `THREAD.cpuprofile`, `THREAD.heapprofile`, `THREAD.json`.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { BroadcastChannel, isMainThread, threadId, threadName } from 'node:worker_threads';

const SAMPLE_US = 500;
const SAMPLE_BYTES = 64 * 1024;
const DELAY_RESOLUTION_MS = 1;

const name = isMainThread ? 'main' : `${threadName}-${threadId}`.replaceAll('/', '-');
const file = (suffix: string): string => join(process.env.SLUICE_PROFILE_FOLDER!, `${name}${suffix}`);
const session = new Session();
const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
let before: EventLoopUtilization | null = null;

const channel = new BroadcastChannel('sluice-bench-profiler');
channel.onmessage = () => void turn();
channel.unref();
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage(null);
    void turn();
  });
  // By its process: a hub that ran before with the same folder, to show its start, was ready long ago.
  writeFileSync(join(process.env.SLUICE_PROFILE_FOLDER!, `${process.pid}.ready`), '');
} else if (existsSync(join(process.env.SLUICE_PROFILE_FOLDER!, 'main.begun'))) {
  // Where the input is there beforehand, the hub is watched from its start on: this thread came after the signal.
  void turn();
}

async function turn(): Promise<void> {
  if (before === null) await begin();
  else await end();
}

async function begin(): Promise<void> {
  writeFileSync(file('.begun'), '');
  before = performance.eventLoopUtilization();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  // What was collected meanwhile is what costs time, so it counts.
  const sampling = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  await session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLE_BYTES, ...sampling });
  await session.post('Profiler.start');
  delay.enable();
}

async function end(): Promise<void> {
  delay.disable();
  const { profile: cpu } = await session.post('Profiler.stop');
  const { profile: heap } = await session.post('HeapProfiler.stopSampling');
  const { utilization } = performance.eventLoopUtilization(performance.eventLoopUtilization(), before!);
  writeFileSync(file('.cpuprofile'), JSON.stringify(cpu));
  writeFileSync(file('.heapprofile'), JSON.stringify(heap));
  const [p50, p99] = [50, 99].map((percentile) => delay.percentile(percentile) / 1e6);
  // Last: whoever waits for it finds the others.
  writeFileSync(file('.json'), JSON.stringify({ name, utilization, delay_ms: { p50, p99, max: delay.max / 1e6 } }));
}
