import { createWriteStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, drain, type Hub, HubProcess } from './hub.ts';
import { moments, type Proof, type Result } from './proof.ts';
import { countPublished } from './published.ts';
import { judgeSegments, verdictOf } from './segments.ts';

const inputFiles = 7;
const linesInTurn = 1000;
const users = 977;

export interface LinesVariant {
  /** What stands beside the source. */
  readonly source: readonly string[];
  /** Which records come in the order in which they were written: those of one stream. */
  readonly streamOf?: (number: number) => number;
}

const fileOf = (number: number): number => Math.floor(number / linesInTurn) % inputFiles;

export const variants = {
  bySource: { source: [], streamOf: fileOf },
  byKey: {
    source: ['key: value.user', 'partition_by: batch'],
    streamOf: (number: number) => fileOf(number) * users + (number % users),
  },
  byBatch: { source: ['partition_by: batch'] },
} satisfies Record<string, LinesVariant>;

/** Numbered lines from files through an embedded topic of four partitions into files, under SIGKILLs. */
export async function proveLines(proof: Proof, variant: LinesVariant): Promise<Result> {
  const { folder, lines } = proof;
  await writeInput(join(folder, 'in'), lines);
  const hub = await createHub(folder, pipeline(variant));
  const out = join(folder, 'out');
  let killed = 0;
  for (const moment of moments(proof, lines)) if (await killAt(hub, { out, share: moment / lines, ...proof })) killed++;
  await drain(hub);
  const { strange, reordered, ...count } = await countPublished(out, lines, variant.streamOf);
  const verdict = await judgeSegments(hub.dataDir);
  const judged = verdictOf(verdict, lines);
  const problems = [
    ...(strange > 0 ? [`${strange} torn or foreign lines`] : []),
    ...(reordered > 0 ? [`${reordered} lines out of order`] : []),
    ...(killed < proof.kills ? [`only ${killed} of ${proof.kills} kills came before the end`] : []),
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

async function writeInput(folder: string, lines: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = Array.from({ length: inputFiles }, (_, index) =>
    createWriteStream(join(folder, `${index}.log`), { highWaterMark: 1 << 20 }),
  );
  for (let start = 0; start < lines; start += linesInTurn) {
    let text = '';
    for (let n = start; n < Math.min(lines, start + linesInTurn); n++) {
      text += `{"n":${n},"user":"u${n % users}","path":"/orders/${n * 7}","status":200}\n`;
    }
    const file = files[fileOf(start)]!;
    if (!file.write(text)) await new Promise<void>((resolve) => file.once('drain', resolve));
  }
  await Promise.all(files.map((file) => new Promise<void>((resolve) => file.end(resolve))));
}

/** Runs the hub until about this share of all records went through, then kills it. False when it got to the end before. */
async function killAt(
  hub: Hub,
  { out, share, random }: { readonly out: string; readonly share: number; readonly random: () => number },
): Promise<boolean> {
  const inputBytes = await bytesBelow(join(hub.folder, 'in'));
  const life = new HubProcess(hub, ['run']);
  // The moment may have passed in the life before: then any time of this one will do.
  if ((await progress(hub, out, inputBytes)) >= share) await sleep(100 + random() * 500);
  for (let done = 0; done < 1; done = await progress(hub, out, inputBytes)) {
    if (!life.alive) throw new Error(`the hub ended by itself:\n${life.output}`);
    if (done >= share) {
      await life.kill();
      return true;
    }
    await sleep(5);
  }
  await life.kill();
  return false;
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
