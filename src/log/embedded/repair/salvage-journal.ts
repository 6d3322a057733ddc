import { join } from 'node:path';
import { SluiceError } from '../../../api/index.ts';
import type { FileSystem } from '../file-system.ts';
import { listIfThere, readWhole } from '../files.ts';
import { decodeFrame, findFrame, type GenerationHeader, type JournalFrame } from '../journal-frame.ts';
import { JournalState } from '../journal-state.ts';
import { parseGenerationName } from '../paths.ts';

export interface SalvagedJournal {
  readonly state: JournalState;
  /** The newest that a file is named by; 0 for none. */
  readonly generation: number;
  /** Files whose bytes were not all readable, and what each lost, in words. */
  readonly losses: readonly string[];
  /** Is the state made from nothing? */
  readonly isEmpty: boolean;
}

interface SalvagedFile {
  readonly name: string;
  readonly generation: number;
  readonly kind: 'snapshot' | 'journal';
  readonly header: GenerationHeader | null;
  readonly frames: readonly { readonly frame: JournalFrame; readonly next: number }[];
  readonly lostBytes: number;
}

/**
 * What the good frames of a damaged journal say, in their order. A frame has the newest value of whatever it changes: without one that is lost, a source or a sink stands
 * where the frame before had it, and goes through the same once more. Throws `LOG_CORRUPT` for a journal of a newer Sluice.
 */
export async function salvageJournal(fileSystem: FileSystem, folder: string): Promise<SalvagedJournal> {
  const files: SalvagedFile[] = [];
  for (const name of await listIfThere(fileSystem, folder)) {
    const parsed = parseGenerationName(name);
    if (parsed !== null)
      files.push({ name, ...parsed, ...readFrames(await readWhole(fileSystem, join(folder, name))) });
  }
  for (const { name, header } of files) refuseNewer(join(folder, name), header);
  const journals = files.filter(({ kind }) => kind === 'journal').sort((a, b) => a.generation - b.generation);
  const anchor = files
    .filter(({ kind, frames }) => kind === 'snapshot' && frames.length === 1)
    .reduce<SalvagedFile | null>(
      (best, file) => (best === null || file.generation > best.generation ? file : best),
      null,
    );
  const state = new JournalState();
  if (anchor !== null) state.apply(anchor.frames[0]!.frame);
  for (const { generation, frames } of journals) {
    if (generation < (anchor?.generation ?? 0)) continue;
    const following = journals.find((one) => one.generation === generation + 1);
    const committed = following?.header?.previousBytes ?? Infinity;
    for (const { frame, next } of frames) if (next <= committed) applyWhatFits(state, frame);
  }
  const damaged = files.filter(({ lostBytes }) => lostBytes > 0);
  return {
    state,
    generation: Math.max(0, ...files.map(({ generation }) => generation)),
    losses: damaged.map(({ name, lostBytes }) => `${lostBytes} bytes of ${name}`),
    isEmpty: state.sequence === 0,
  };
}

function readFrames(bytes: Buffer): Pick<SalvagedFile, 'header' | 'frames' | 'lostBytes'> {
  const frames: { frame: JournalFrame; next: number }[] = [];
  let header: GenerationHeader | null = null;
  let goodBytes = 0;
  for (let found = findFrame(bytes, 0); found >= 0;) {
    const { content, next } = decodeFrame(bytes, found)!;
    if (isHeader(content)) header = content;
    else frames.push({ frame: content as JournalFrame, next });
    goodBytes += next - found;
    found = findFrame(bytes, next);
  }
  return { header, frames, lostBytes: bytes.length - goodBytes };
}

function isHeader(content: unknown): content is GenerationHeader {
  return typeof content === 'object' && content !== null && 'generation' in content;
}

function refuseNewer(path: string, header: GenerationHeader | null): void {
  if (header === null || (header.version as number) === 1) return;
  const message = `repairing "${path}": a newer Sluice wrote it (version ${header.version}); repair it with that one`;
  throw new SluiceError('LOG_CORRUPT', message);
}

/** An offset of a partition that only a lost frame told of cannot be kept: the sink reads that partition again. */
function applyWhatFits(state: JournalState, { offsets = [], ...frame }: JournalFrame): void {
  state.apply(frame);
  const known = offsets.filter(([sink, partition]) => partition < (state.sinks.get(sink)?.next.length ?? 0));
  state.apply({ sequence: frame.sequence, offsets: known });
}
