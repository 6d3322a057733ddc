import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, HubProcess } from './hub.ts';
import type { Proof, Result } from './proof.ts';
import { countPublished } from './published.ts';
import { residentMegabytes } from './resident.ts';

const LIMIT_MB = 250;
/** How much more the second half may take than the first: a leak of a byte a record would show ten times this. */
const GROWTH_MB = 25;
const SAMPLE_MS = 100;

const pipeline = (records: number): string => `name: memory
sources:
  - generate: { count: ${records} }
    partition_by: batch
topic: { name: memory, partitions: 4 }
sinks:
  - file: { path: out }
`;

/** Generated records through an embedded topic of four partitions into files: the resident memory of the hub stays low and flat. */
export async function proveMemory({ folder, lines }: Proof): Promise<Result> {
  const hub = await createHub(folder, pipeline(lines));
  const life = new HubProcess(hub, ['run', '--once', '--timeout', '20m']);
  const samples: number[] = [];
  while (life.alive) {
    const megabytes = await residentMegabytes(life.pid);
    if (megabytes !== null) samples.push(megabytes);
    await sleep(SAMPLE_MS);
  }
  const { code } = await life.ended;
  const { strange, ...count } = await countPublished(join(folder, 'out'), lines);
  const middle = Math.floor(samples.length / 2);
  const [first, second] = [Math.max(...samples.slice(0, middle)), Math.max(...samples.slice(middle))];
  const problems = [
    ...(code === 0 ? [] : [`run --once ended with ${code ?? 'a signal'}: ${life.output.slice(-500)}`]),
    ...(strange > 0 ? [`${strange} torn or foreign lines`] : []),
    ...(Math.max(first, second) > LIMIT_MB ? [`resident memory went above ${LIMIT_MB} MB`] : []),
    ...(second - first > GROWTH_MB
      ? [`resident memory grew by ${Math.round(second - first)} MB in the second half`]
      : []),
  ];
  const note = `resident memory at most ${Math.round(first)} MB in the first half, ${Math.round(second)} MB in the second`;
  return { ...count, expected: lines, note, problems, unjudged: [] };
}
