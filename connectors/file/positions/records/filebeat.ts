import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { linesOf, record, unreadable, type ForeignRecord, type ReadRecords } from './foreign-record.ts';

/** `fingerprint.length` when nothing else was configured. */
const FINGERPRINT_BYTES = 1024;

type State = Readonly<Record<string, unknown>>;

/**
 * Filebeat's registry (`libbeat/statestore/backend/memlog`): the newest checkpoint `<id>.json`, named by `active.dat`, and the operations since in `log.json`. The path
 * is the folder, or a file in it. Inputs `log` and `filestream`; before 7.9 one `data.json`.
 */
export const readFilebeat: ReadRecords = async (path) => {
  const isFolder = (await stat(path)).isDirectory();
  if (!isFolder && basename(path) === 'data.json')
    return [...states(await readJson(path))].flatMap(([key, state]) => recordOf(key, state));
  const folder = isFolder ? path : dirname(path);
  const active = (await ifThere(join(folder, 'active.dat')))?.trim();
  const known = new Map(
    active === undefined || active === '' ? [] : states(await readJson(join(folder, basename(active)))),
  );
  replay((await ifThere(join(folder, 'log.json'))) ?? '', known);
  if (active === undefined && known.size === 0) throw unreadable('the folder', 'it holds no registry of Filebeat');
  return [...known].flatMap(([key, state]) => recordOf(key, state));
};

/** An operation, and on the next line what it is about. What is cut off at the end was never written whole. */
function replay(text: string, known: Map<string, State>): void {
  const lines = linesOf(text);
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const { op } = parse(lines[index]!);
    let entry: State;
    try {
      entry = parse(lines[index + 1]!);
    } catch (error) {
      if (index + 2 === lines.length) return;
      throw error;
    }
    const { k: key, v: state } = entry;
    if (typeof key !== 'string') throw unreadable(lines[index + 1]!.where, 'it names no state');
    if (op === 'remove') known.delete(key);
    else known.set(key, state as State);
  }
}

function parse({ text, where }: { readonly text: string; readonly where: string }): State {
  try {
    return JSON.parse(text) as State;
  } catch {
    throw unreadable(`${where} of log.json`, 'it is no JSON');
  }
}

function states(content: unknown): [string, State][] {
  if (!Array.isArray(content)) throw unreadable('the checkpoint', 'it is none of a registry');
  return (content as readonly State[]).map((state, index) => [
    typeof state._key === 'string' ? state._key : `${index}`,
    state,
  ]);
}

/** Of an input that reads no files there is none. */
function recordOf(key: string, state: State): ForeignRecord[] {
  const {
    FileStateOS: os,
    source,
    cursor,
    meta,
  } = state as {
    readonly FileStateOS?: { readonly inode?: number; readonly device?: number };
    readonly source?: string;
    readonly cursor?: { readonly offset?: number } | null;
    readonly meta?: { readonly source?: string };
  };
  if (os !== undefined && source !== undefined) {
    const device = os.device === undefined ? null : [String(os.device)];
    return [record({ path: source, inode: String(os.inode), device, offset: state.offset }, key)];
  }
  const [, kind, identity] = /^filestream::.*::(native|fingerprint|path|inode_marker)::(.+)$/.exec(key) ?? [];
  if (identity === undefined) return [];
  const path = meta?.source ?? (kind === 'path' ? identity : null);
  const offset = cursor?.offset ?? 0;
  if (kind === 'path') return [record({ path, offset }, key)];
  if (kind === 'fingerprint')
    return [record({ path, fingerprint: { hex: identity, bytes: FINGERPRINT_BYTES }, offset }, key)];
  const [, inode, device] = /^(\d+)-(.+)$/.exec(identity) ?? [];
  if (inode === undefined || device === undefined) return [];
  return [record({ path, inode, device: kind === 'native' ? [device] : null, offset }, key)];
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8')) as unknown;
}

async function ifThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
