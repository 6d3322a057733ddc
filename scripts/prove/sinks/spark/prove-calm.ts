import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Servers } from '../../kafka/servers.ts';
import type { Proof, Result } from '../../proof.ts';
import { RECORDS_IN_RANGE, SparkRun } from './spark-run.ts';
import type { SparkTarget } from './targets.ts';

const TARGET_MS = 50;
/** Of a start, then of a hub with nothing to do. */
const SETTLE_MS = 10_000;
const IDLE_MS = 10_000;
const TICK_MS = 10;

/** Ranges that nobody disturbs, and the processor time of the hub for each, beside what it takes while it idles for as long. */
export function proveCalm({ name, target }: { readonly name: string; readonly target: SparkTarget }) {
  return async ({ folder, lines }: Proof, servers: Servers): Promise<Result> => {
    const { brokers } = await servers.shared('kafka');
    const spark = await servers.shared('spark');
    const run = await SparkRun.start({ folder: join(folder, 'run'), name, brokers, spark, target });
    try {
      // What is loaded with the first batch is not of each.
      await run.grow(1);
      const life = run.lives.begin();
      await run.savesAll(life);
      await sleep(SETTLE_MS);
      const idle = await spent(life.pid, () => sleep(IDLE_MS));
      const ranges = lines / RECORDS_IN_RANGE - 1;
      await run.grow(ranges);
      const busy = await spent(life.pid, () => run.savesAll(life));
      await life.kill('SIGTERM');
      const each = (busy.cpuMs - (idle.cpuMs * busy.elapsedMs) / idle.elapsedMs) / ranges;
      const result = await run.judge(
        (found) => `${found} ranges; ${each.toFixed(0)} ms of hub CPU for each, beside its idling`,
      );
      const problems = each > TARGET_MS ? [`${each.toFixed(0)} ms of hub CPU for each range`] : [];
      return { ...result, problems: [...result.problems, ...problems] };
    } finally {
      await run.end();
    }
  };
}

async function spent(pid: number, during: () => Promise<void>): Promise<{ cpuMs: number; elapsedMs: number }> {
  const [cpu, at] = [await cpuMs(pid), performance.now()];
  await during();
  return { cpuMs: (await cpuMs(pid)) - cpu, elapsedMs: performance.now() - at };
}

/** Of user and system: fields 14 and 15 of /proc/PID/stat (proc(5)). */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
