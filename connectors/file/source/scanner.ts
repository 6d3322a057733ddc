import type { Complaints } from './complaints.ts';
import type { Glob } from './glob.ts';
import type { FoundFile } from './newcomers.ts';
import type { FileStatus, InputStorage } from './storage.ts';

/** Asked for at once; more would only queue up in the thread pool. */
const AT_ONCE = 32;

/** Finds the files that the patterns name, each once, whatever the number of its names. */
export class Scanner {
  readonly #glob: Glob;
  readonly #storage: InputStorage;
  readonly #complaints: Complaints;

  constructor(glob: Glob, storage: InputStorage, complaints: Complaints) {
    this.#glob = glob;
    this.#storage = storage;
    this.#complaints = complaints;
  }

  async scan(): Promise<FoundFile[]> {
    const unreadable: string[] = [];
    const paths = await this.#glob.find((folder, error) => {
      unreadable.push(folder);
      this.#complaints.about(folder, error, 'folder not readable');
    });
    this.#complaints.retain(new Set([...paths, ...unreadable]));
    const found = new Map<string, FoundFile>();
    for (let first = 0; first < paths.length; first += AT_ONCE) {
      const group = paths.slice(first, first + AT_ONCE);
      const statuses = await Promise.all(group.map((path) => this.#statusOf(path)));
      for (const [index, status] of statuses.entries()) {
        if (status?.isFile === true && !found.has(status.key)) found.set(status.key, { path: group[index]!, status });
      }
    }
    return [...found.values()];
  }

  async #statusOf(path: string): Promise<FileStatus | null> {
    try {
      return await this.#storage.stat(path);
    } catch (error) {
      // Renamed or deleted since the folder was listed, or a link to nothing.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#complaints.about(path, error, 'file not readable');
      return null;
    }
  }
}
