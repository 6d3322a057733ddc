import { mkdir, open, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Proof, Result } from '../proof.ts';
import { residentMegabytes } from '../resident.ts';
import { SourceRun } from './source-run.ts';

const DESCRIPTORS = 64;
/** Files are opened for a moment to tell what they are. */
const LOOKED_AT = 8;
const LINES_A_FILE = 5;
const GROWTH_MB = 32;
const LONG_LINE_BYTES = 100_000_000;
const PIECE_BYTES = 1_000_000;

/** More files than may be open, each grown once more while they are followed. */
export async function proveManyFiles({ folder, lines: files }: Proof): Promise<Result> {
  const [hub, name] = [join(folder, 'hub'), 'sources-many-files'];
  await mkdir(join(hub, 'in'), { recursive: true });
  const grow = async (round: number): Promise<void> => {
    for (let file = 0; file < files; file++) {
      const first = (round * files + file) * LINES_A_FILE;
      const text = Array.from({ length: LINES_A_FILE }, (_each, at) => `{"n":${first + at}}\n`).join('');
      await writeFile(join(hub, 'in', `${file}.log`), text, { flag: 'a' });
    }
  };
  await grow(0);
  const entry = `file: { include: ['in/*.log'], max_open_files: ${DESCRIPTORS} }`;
  const run = await SourceRun.start({ folder: hub, name, listeners: { files: () => entry }, brokers: null });
  try {
    let most = 0;
    const over = new AbortController();
    const looking = (async () => {
      while (!over.signal.aborted) {
        most = Math.max(most, await openBelow(run.life.pid, join(hub, 'in')));
        await sleep(20);
      }
    })();
    const started = performance.now();
    await run.holds(files * LINES_A_FILE);
    const seconds = (performance.now() - started) / 1000;
    await grow(1);
    const expected = 2 * files * LINES_A_FILE;
    await run.holds(expected);
    over.abort();
    await looking;
    const { strange, reordered, ...counted } = await run.count({
      expected,
      streamOf: (number) => Math.floor(number / LINES_A_FILE) % files,
    });
    return {
      ...counted,
      expected,
      note: `${files} files, at most ${most} of them open; read in ${seconds.toFixed(1)} s`,
      problems: [
        ...(most > DESCRIPTORS + LOOKED_AT ? [`${most} files were open`] : []),
        ...(most === 0 ? ['no file was seen open'] : []),
        ...(strange + reordered > 0 ? [`${strange} foreign lines, ${reordered} out of order`] : []),
      ],
      unjudged: [],
    };
  } finally {
    await run.end();
  }
}

async function openBelow(pid: number, folder: string): Promise<number> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(descriptors.map((one) => readlink(`/proc/${pid}/fd/${one}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(`${folder}/`)).length;
}

/** A line of 100 MB between two others. */
export async function proveLongLine({ folder }: Proof): Promise<Result> {
  const [hub, name] = [join(folder, 'hub'), 'sources-long-line'];
  await mkdir(join(hub, 'in'), { recursive: true });
  await writeFile(join(hub, 'in', 'a.log'), '{"n":0}\n');
  const entry = "file: { include: ['in/*.log'] }";
  const run = await SourceRun.start({ folder: hub, name, listeners: { files: () => entry }, brokers: null });
  try {
    await run.holds(1);
    await sleep(1000);
    const before = (await residentMegabytes(run.life.pid))!;
    const file = await open(join(hub, 'in', 'a.log'), 'a');
    let most = before;
    const piece = Buffer.alloc(PIECE_BYTES, 'x');
    for (let written = 0; written < LONG_LINE_BYTES; written += PIECE_BYTES) {
      await file.write(piece);
      most = Math.max(most, (await residentMegabytes(run.life.pid)) ?? 0);
    }
    await file.write('\n{"n":1}\n');
    await file.close();
    await run.holds(2);
    most = Math.max(most, (await residentMegabytes(run.life.pid)) ?? 0);
    const { strange, ...counted } = await run.count({ expected: 2, streamOf: () => 0 });
    const grown = most - before;
    return {
      expected: 2,
      ...counted,
      note: `memory grew by ${Math.round(grown)} MB; the lines around it are whole`,
      problems: [
        ...(grown > GROWTH_MB ? [`memory grew by ${Math.round(grown)} MB`] : []),
        ...(strange > 0 ? [`${strange} foreign lines`] : []),
      ],
      unjudged: [],
    };
  } finally {
    await run.end();
  }
}
