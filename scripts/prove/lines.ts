import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, drain, type Hub, HubProcess } from './hub.ts';
import { fileOf, NumberedLines, users } from './numbered-lines.ts';
import { moments, type Proof, type Result } from './proof.ts';
import { countPublished } from './published.ts';
import { judgeSegments, verdictOf } from './segments.ts';

export interface LinesVariant {
  /** What stands beside the source. */
  readonly source: readonly string[];
  /** Which records come in the order in which they were written: those of one stream. */
  readonly streamOf?: (number: number) => number;
}

export const variants = {
  bySource: { source: [], streamOf: fileOf },
  byKey: {
    source: ['key: value.user', 'partition_by: batch'],
    streamOf: (number: number) => fileOf(number) * users + (number % users),
  },
  byBatch: { source: ['partition_by: batch'] },
} satisfies Record<string, LinesVariant>;

/**
 * Numbered lines from files through an embedded topic of four partitions into files, under SIGKILLs. The input grows: before each kill there are lines enough
 * to come to its moment, never all of them, so that every kill comes before the end.
 */
export async function proveLines(proof: Proof, variant: LinesVariant): Promise<Result> {
  const { folder, lines } = proof;
  const input = new NumberedLines(join(folder, 'in'), lines);
  const hub = await createHub(folder, pipeline(variant));
  const out = join(folder, 'out');
  const stops = moments(proof, lines);
  for (const [index, moment] of stops.entries()) {
    await input.growTo(stops[index + 1] ?? moment);
    await killAt(hub, { out, share: moment / lines, inputBytes: input.totalBytes });
  }
  await input.growTo(lines);
  const killed = stops.length;
  await drain(hub);
  const { strange, reordered, ...count } = await countPublished(out, lines, variant.streamOf);
  const verdict = await judgeSegments(hub.dataDir);
  const judged = verdictOf(verdict, lines);
  const problems = [
    ...(strange > 0 ? [`${strange} torn or foreign lines`] : []),
    ...(reordered > 0 ? [`${reordered} lines out of order`] : []),
    ...judged.problems,
  ];
  return { ...count, expected: lines, note: `${killed} kills; ${judged.note}`, problems, unjudged: judged.unjudged };
}

const pipeline = ({ source }: LinesVariant): string =>
  `name: prove
sources:
  - file: { include: ['in/*.log'] }
${source.map((line) => `    ${line}\n`).join('')}topic: { name: lines, partitions: 4 }
sinks:
  - file: { path: out, format: ndjson, roll: { size: 4MiB, age: 1s, idle: 200ms } }
`;

/** Runs the hub until about this share of all records went through, then kills it. */
async function killAt(
  hub: Hub,
  { out, share, inputBytes }: { readonly out: string; readonly share: number; readonly inputBytes: number },
): Promise<void> {
  const life = new HubProcess(hub, ['run']);
  const deadline = Date.now() + 120_000;
  while ((await progress(hub, out, inputBytes)) < share) {
    if (!life.alive) throw new Error(`the hub ended by itself:\n${life.output}`);
    if (Date.now() > deadline) {
      await life.kill();
      throw new Error(`the hub does not come to ${Math.round(share * 100)} %:\n${life.output}`);
    }
    await sleep(5);
  }
  await life.kill();
}

/**
 * 0 to 1: half of it is what the topic has, half what is published. The topic holds more bytes than its records, so its half is an estimate; the
 * end is exact.
 */
async function progress(hub: Hub, out: string, inputBytes: number): Promise<number> {
  const [stored, published] = await Promise.all([bytesBelow(hub.dataDir), bytesBelow(out)]);
  return published >= inputBytes ? 1 : (Math.min(stored, inputBytes) + published) / (2 * inputBytes);
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    if (!/\.(log|ndjson)$/.test(name)) continue;
    // A file may be renamed or deleted between the two calls.
    bytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}
