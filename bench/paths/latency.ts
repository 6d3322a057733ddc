import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BulkServer } from '../bulk-server.ts';
import { diskAlone } from '../disk-commits.ts';
import { startHub } from '../hub.ts';
import { hubContestant } from '../hub-contestant.ts';
import { AccessLog } from '../lines.ts';
import type { Contestant, Path, Watch } from '../path.ts';
import type { RunningProgram } from '../process.ts';
import type { Measurement } from '../stage.ts';
import { PARTITIONS } from '../topics.ts';

const RECORDS_PER_SECOND = 10_000;
const TICK_MS = 5;
/** Compilers are at work and files are found; not counted. */
const WARM_UP_SECONDS = 5;
const SECONDS = 20;

const pipeline = (folder: string, topic: string, url: string): string => `sources:
  - file: { include: ['${folder}/in/*.log'] }
topic: { name: ${topic}, partitions: ${PARTITIONS} }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: bench }
`;

/** From the append of a line to the request of the sink that holds it, while 10,000 lines a second are appended. */
export const latency: Path = {
  name: 'latency',
  contestants: [
    contender('sluice, embedded log', false),
    contender('sluice, log in Kafka', true),
    diskAlone({ recordsPerSecond: RECORDS_PER_SECOND, seconds: SECONDS }),
  ],
};

function contender(system: string, onKafka: boolean): Contestant {
  return hubContestant({
    system,
    codec: 'none',
    async measure(bench, folder, records) {
      const server = await BulkServer.start(folder);
      const topic = onKafka ? await bench.topics.create('latency') : 'bench';
      await mkdir(join(folder, 'in'));
      const kafka = onKafka ? { brokers: bench.brokers, topic } : null;
      const running = await startHub({ folder, kafka, pipelines: [pipeline(folder, topic, server.url)] });
      try {
        return await measureLatency({ running, server, folder, watch: bench.watch }, records);
      } finally {
        await running.stop();
        await server.stop();
        if (onKafka) await bench.topics.remove(topic);
      }
    },
  });
}

interface Setting {
  readonly running: RunningProgram;
  readonly server: BulkServer;
  readonly folder: string;
  readonly watch: Watch;
}

async function measureLatency({ running, server, folder, watch }: Setting, records: number): Promise<Measurement> {
  const { cpuSeconds: startup } = await running.usage();
  const file = await open(join(folder, 'in', 'access.log'), 'a');
  try {
    const lines = new AccessLog();
    const append = async (count: number): Promise<void> => {
      await file.write(stamped(lines.next(count)));
    };
    await atRate(WARM_UP_SECONDS * RECORDS_PER_SECOND, append);
    await running.until(
      async () => (await server.counts()).documents === WARM_UP_SECONDS * RECORDS_PER_SECOND,
      'the warm-up',
    );
    await server.reset();
    await watch.begin(running);
    const warm = await running.usage();
    const count = Math.min(SECONDS * RECORDS_PER_SECOND, records);
    const started = performance.now();
    await atRate(count, append);
    await running.until(async () => (await server.counts()).documents === count, 'all documents');
    const seconds = (performance.now() - started) / 1000;
    const { cpuSeconds, peakRssMegabytes } = await running.usage();
    await watch.end(running);
    const { p50, p99, max } = (await server.counts()).latency;
    return {
      recordsPerSecond: count / seconds,
      cpuSecondsPerMillion: ((cpuSeconds - warm.cpuSeconds) / count) * 1e6,
      startupCpuSeconds: startup,
      peakRssMegabytes,
      more: { latency_p50_ms: p50 / 1000, latency_p99_ms: p99 / 1000, latency_max_ms: max / 1000 },
    };
  } finally {
    await file.close();
  }
}

/** As many as are due each tick, so that a late tick is made up for. */
async function atRate(total: number, append: (count: number) => Promise<void>): Promise<void> {
  const started = performance.now();
  for (let done = 0; done < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * RECORDS_PER_SECOND));
    if (due > done) await append(due - done);
    done = Math.max(done, due);
    await sleep(TICK_MS);
  }
}

/** Each line says when it was appended, in microseconds since 1970, as its last field. */
function stamped(lines: string): string {
  const now = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return lines.replaceAll('}\n', `,"appended_us":${now}}\n`);
}
