import { VolatileFile } from './volatile-file.ts';

export type VolatileEntry = VolatileFile | VolatileFolder;

type FolderChange =
  | { readonly type: 'add'; readonly name: string; readonly entry: VolatileEntry }
  | { readonly type: 'remove'; readonly name: string; readonly entry: VolatileEntry }
  | { readonly type: 'rename'; readonly from: string; readonly to: string; readonly entry: VolatileEntry };

/** The names in a folder, twice: as the processes see them, and as they are on the disk. */
export class VolatileFolder {
  #now = new Map<string, VolatileEntry>();
  readonly #durable = new Map<string, VolatileEntry>();
  #pending: FolderChange[] = [];

  get entries(): ReadonlyMap<string, VolatileEntry> {
    return this.#now;
  }

  /** Replaces what had the name. */
  add(name: string, entry: VolatileEntry): void {
    this.#change({ type: 'add', name, entry });
  }

  remove(name: string): void {
    const entry = this.#now.get(name);
    if (entry !== undefined) this.#change({ type: 'remove', name, entry });
  }

  rename(from: string, to: string): void {
    const entry = this.#now.get(from);
    if (entry !== undefined) this.#change({ type: 'rename', from, to, entry });
  }

  sync(): void {
    for (const change of this.#pending) apply(this.#durable, change);
    this.#pending = [];
  }

  /** The power is gone: of the changes that were not synced any may be kept, as POSIX allows, each whole. */
  crash(random: () => number, survival: number): void {
    for (const change of this.#pending) if (random() < survival) apply(this.#durable, change);
    this.#pending = [];
    this.#now = new Map(this.#durable);
    for (const entry of this.#now.values()) entry.crash(random, survival);
  }

  /** What is here now, on a disk of its own, all of it durable. */
  copy(): VolatileFolder {
    const copy = new VolatileFolder();
    for (const [name, entry] of this.#now) {
      copy.add(name, entry instanceof VolatileFile ? VolatileFile.of(entry.bytes) : entry.copy());
    }
    copy.sync();
    return copy;
  }

  #change(change: FolderChange): void {
    apply(this.#now, change);
    this.#pending.push(change);
  }
}

/** A change whose predecessor was lost takes effect on the entry that it was made for, on no other. */
function apply(entries: Map<string, VolatileEntry>, change: FolderChange): void {
  if (change.type === 'add') {
    entries.set(change.name, change.entry);
    return;
  }
  const name = change.type === 'remove' ? change.name : change.from;
  if (entries.get(name) === change.entry) entries.delete(name);
  if (change.type === 'rename') entries.set(change.to, change.entry);
}
