import { join } from 'node:path';
import type { CrashPoint } from '../../../../src/telemetry/index.ts';
import { sparkHome } from '../../../services/spark.ts';
import { createHub } from '../../hub.ts';
import type { Proof, Result } from '../../proof.ts';
import { Lives } from './lives.ts';
import { RECORDS_IN_RANGE } from './spark-run.ts';
import { landed } from './targets.ts';

const NAME = 'sinks-spark-landed';
/** Where there is a step before the first job. */
export const landingPoints = ['job-landed', 'job-running', 'job-succeeded'] as const satisfies readonly CrashPoint[];

/** Records of the embedded log, landed as files for jobs on this machine: nothing of Kafka, and no cluster. */
export async function proveLanded({ folder, lines, kills }: Proof): Promise<Result> {
  const output = join(folder, 'published');
  const pipeline = `name: ${NAME}
sources:
  - generate: { count: ${lines} }
    key: value.id
topic: { name: ${NAME}, partitions: 2 }
sinks:
  - spark:
      ${landed({ home: await sparkHome(), output })}
      range: { max_records: ${RECORDS_IN_RANGE}, max_age: 2s }
`;
  const lives = new Lives(await createHub(join(folder, 'hub'), pipeline), output);
  for (const point of landingPoints.slice(0, kills)) await lives.endAt(point, 1);
  await lives.drain();
  return lives.judge(lines, (ranges) => `${ranges} ranges, the hub killed at ${kills} steps`);
}
