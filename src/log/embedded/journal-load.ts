import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { listIfThere, readWhole } from './files.ts';
import { decodeFrame, findFrame, type GenerationHeader, type JournalFrame } from './journal-frame.ts';
import { JournalState } from './journal-state.ts';
import { corruption, isMissing } from './log-errors.ts';
import { generationName, parseGenerationName } from './paths.ts';

export interface LoadedJournal {
  readonly state: JournalState;
  /** The newest. */
  readonly generation: number;
  /** The generation whose snapshot the state was made from; not the newest when its snapshot is missing or damaged. */
  readonly anchor: number;
  /** Up to the last good frame of the newest journal. */
  readonly bytes: number;
  /** What lies behind. */
  readonly tornBytes: number;
  readonly snapshotBytes: number;
}

interface ReadFile {
  readonly path: string;
  readonly header: GenerationHeader | null;
  readonly frames: readonly { readonly frame: JournalFrame; readonly next: number }[];
  /** Up to the last good frame. */
  readonly bytes: number;
  readonly size: number;
  /** Where a good frame lies behind bad bytes; -1 for nowhere. */
  readonly goodBehind: number;
}

interface Generations {
  readonly folder: string;
  readonly pipeline: string;
  readonly snapshots: ReadonlyMap<number, ReadFile>;
  readonly journals: ReadonlyMap<number, ReadFile>;
}

/** What the journal of a pipeline says; null when there never was one. Changes nothing. Throws `LOG_CORRUPT`. */
export async function loadJournal(
  fileSystem: FileSystem,
  folder: string,
  pipeline: string,
): Promise<LoadedJournal | null> {
  const files = await readGenerations(fileSystem, folder, pipeline);
  const newest = newestGeneration(files);
  if (newest === null) return null;
  const anchor = anchorOf(files, newest);
  if (anchor === null) {
    if (newest === 1 && files.journals.get(1)?.frames.length === 0 && !files.snapshots.has(1)) return null;
    throw corruption(`the journal of pipeline "${pipeline}"`, 'it has no complete generation');
  }
  return replay(files, anchor, newest);
}

async function readGenerations(fileSystem: FileSystem, folder: string, pipeline: string): Promise<Generations> {
  const snapshots = new Map<number, ReadFile>();
  const journals = new Map<number, ReadFile>();
  for (const name of await listIfThere(fileSystem, folder)) {
    const parsed = parseGenerationName(name);
    if (parsed === null) continue;
    const path = join(folder, name);
    const bytes = await readWhole(fileSystem, path).catch((error: unknown) => {
      // Compacted away since it was listed: whoever reads beside a hub tries again.
      if (isMissing(error)) return null;
      throw error;
    });
    if (bytes !== null) (parsed.kind === 'snapshot' ? snapshots : journals).set(parsed.generation, parse(path, bytes));
  }
  return { folder, pipeline, snapshots, journals };
}

function parse(path: string, bytes: Buffer): ReadFile {
  const first = decodeFrame(bytes, 0);
  const frames: { frame: JournalFrame; next: number }[] = [];
  let at = first?.next ?? 0;
  for (let read = first && decodeFrame(bytes, at); read !== null; read = decodeFrame(bytes, at)) {
    frames.push({ frame: read.content as JournalFrame, next: read.next });
    at = read.next;
  }
  const goodBehind = at < bytes.length ? findFrame(bytes, at) : -1;
  return {
    path,
    header: (first?.content as GenerationHeader | undefined) ?? null,
    frames,
    bytes: at,
    size: bytes.length,
    goodBehind,
  };
}

/** A journal without a frame whose snapshot never came is what a crash while it was made leaves. */
function newestGeneration({ snapshots, journals }: Generations): number | null {
  const generations = [...new Set([...snapshots.keys(), ...journals.keys()])].sort((a, b) => b - a);
  const isLeftover = (generation: number): boolean => {
    const journal = journals.get(generation);
    return !snapshots.has(generation) && journal?.header === null && journal.goodBehind < 0;
  };
  return generations.find((generation) => !isLeftover(generation)) ?? null;
}

function anchorOf({ snapshots }: Generations, newest: number): number | null {
  const isGood = (file: ReadFile): boolean => file.header !== null && file.frames.length === 1;
  const good = [...snapshots].filter(([generation, file]) => generation <= newest && isGood(file));
  return good.length === 0 ? null : Math.max(...good.map(([generation]) => generation));
}

function replay(files: Generations, anchor: number, newest: number): LoadedJournal {
  const snapshot = files.snapshots.get(anchor)!;
  checkHeader(files, snapshot, anchor);
  const state = new JournalState();
  state.apply(snapshot.frames[0]!.frame);
  for (let generation = anchor; generation < newest; generation++) {
    const following = journalOf(files, generation + 1);
    const journal = journalOf(files, generation);
    const committed = following.header!.previousBytes;
    if (journal.bytes < committed) throw corruption(`"${journal.path}"`, `bytes from ${journal.bytes} on are damaged`);
    applyAll(state, journal, committed);
  }
  const journal = journalOf(files, newest);
  if (journal.goodBehind >= 0)
    throw corruption(
      `"${journal.path}"`,
      `a bad frame at byte ${journal.bytes} with a good one at ${journal.goodBehind}`,
    );
  applyAll(state, journal, journal.bytes);
  const { bytes, size } = journal;
  return {
    state,
    generation: newest,
    anchor,
    bytes,
    tornBytes: size - bytes,
    snapshotBytes: snapshot.size,
  };
}

function journalOf(files: Generations, generation: number): ReadFile {
  const journal = files.journals.get(generation);
  if (journal === undefined) {
    const path = join(files.folder, generationName(generation, 'journal'));
    throw corruption(`"${path}"`, 'the file is missing');
  }
  checkHeader(files, journal, generation);
  return journal;
}

function checkHeader({ pipeline }: Generations, { path, header }: ReadFile, generation: number): void {
  if (header === null) throw corruption(`"${path}"`, 'its first frame is damaged');
  // A newer Sluice may have written it: whatever it says, this one cannot know.
  if ((header.version as number) !== 1) throw corruption(`"${path}"`, `version ${header.version} is unknown`);
  if (header.pipeline !== pipeline || header.generation !== generation)
    throw corruption(`"${path}"`, `it is generation ${header.generation} of pipeline "${header.pipeline}"`);
}

function applyAll(state: JournalState, { path, frames }: ReadFile, upTo: number): void {
  for (const { frame, next } of frames) {
    if (next > upTo) return;
    if (frame.sequence !== state.sequence + 1)
      throw corruption(`"${path}"`, `frame ${frame.sequence} follows frame ${state.sequence}`);
    state.apply(frame);
  }
}
