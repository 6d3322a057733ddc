import type { PositionChange, PositionPlan } from 'sluice/api';
import { createHash } from 'node:crypto';
import { readAt } from '../source/content.ts';
import type { FoundFile } from '../source/newcomers.ts';
import type { InputFile } from '../source/storage.ts';
import type { Boundaries } from '../source/framing/boundaries.ts';
import type { KnownFiles, NotedBeginning } from './known-files.ts';
import type { ForeignRecord } from './records/foreign-record.ts';

interface Left {
  readonly what: string;
  readonly why: string;
}

/** Positions of another program as ours, of files that are the same as it has read. Of several for one file the last counts. */
export async function matchRecords(known: KnownFiles, records: readonly ForeignRecord[]): Promise<PositionPlan> {
  const changes = new Map<string, PositionChange>();
  const left: Left[] = [];
  const fingerprints = new Fingerprints(known);
  for (const record of records) {
    const what = `${record.path ?? 'a file'}${record.inode === null ? '' : ` (inode ${record.inode})`}`;
    const found = record.skipped ?? (await findFile(known, record, fingerprints));
    const change = typeof found === 'string' ? found : await positionOf(known, found, record.offset);
    if (typeof change === 'string') left.push({ what, why: change });
    else changes.set(change.partition, change);
  }
  return { changes: [...changes.values()], left };
}

/** A sentence without its full stop says why there is none. */
async function findFile(
  { files }: KnownFiles,
  { path, inode, device, fingerprint }: ForeignRecord,
  fingerprints: Fingerprints,
): Promise<FoundFile | string> {
  const atPath = files.find((file) => file.path === path);
  if (fingerprint !== null) return (await fingerprints.find(fingerprint)) ?? 'no file of this source begins like it';
  if (inode === null) return atPath ?? 'no file of this source has this path';
  const alike = files.filter(({ status }) => inodeOf(status.key) === inode);
  const best =
    alike.find(({ status }) => device?.includes(deviceOf(status.key)) === true) ??
    alike.find((file) => file.path === path);
  // A renamed file on a device whose number is not known, or has changed with a restart of the machine.
  const only = device === null && alike.length === 1 ? alike[0] : undefined;
  const found = best ?? only;
  if (found !== undefined) return found;
  if (atPath !== undefined) return `another file has this path now (inode ${inodeOf(atPath.status.key)})`;
  return alike.length > 1 ? 'several files of this source have this inode' : 'no file of this source is it';
}

async function positionOf(known: KnownFiles, file: FoundFile, offset: number): Promise<PositionChange | string> {
  const { size } = file.status;
  if (offset > size)
    return `it has ${size} bytes, of which ${offset} were read: it was truncated or written anew, and is read from its beginning`;
  const change = await known.positionIn(file, (opened) => beginningOf(known.boundaries, opened, offset), null);
  return change ?? 'it is empty or compressed, and will be read like any new file';
}

/** No program hands on a line before its end: what it has read of one is still to come. */
async function beginningOf(boundaries: Boundaries, file: InputFile, offset: number): Promise<NotedBeginning> {
  if (await boundaries.begins(file, offset)) return { offset };
  return { offset: await boundaries.before(file, offset), note: `${offset} is within a line: begins with that line` };
}

/** SHA-256 of the first bytes of files, each read once. */
class Fingerprints {
  readonly #known: KnownFiles;
  readonly #byLength = new Map<number, Promise<ReadonlyMap<string, FoundFile>>>();

  constructor(known: KnownFiles) {
    this.#known = known;
  }

  async find({ hex, bytes }: NonNullable<ForeignRecord['fingerprint']>): Promise<FoundFile | undefined> {
    let all = this.#byLength.get(bytes);
    if (all === undefined) this.#byLength.set(bytes, (all = this.#read(bytes)));
    return (await all).get(hex);
  }

  async #read(bytes: number): Promise<ReadonlyMap<string, FoundFile>> {
    const found = new Map<string, FoundFile>();
    for (const file of this.#known.files) {
      if (file.status.size < bytes) continue;
      const head = await this.#known.withFile(file, (opened) => readAt(opened, 0, bytes));
      found.set(createHash('sha256').update(head).digest('hex'), file);
    }
    return found;
  }
}

function deviceOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

function inodeOf(key: string): string {
  return key.slice(key.indexOf(':') + 1);
}
