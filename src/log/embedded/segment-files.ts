import type { FileSystem, LogFile } from './file-system.ts';

const MAX_OPEN = 32;

/** Files that are read from again and again, open; those that were not used for longest are closed. One user at a time. */
export class SegmentFiles {
  readonly #fileSystem: FileSystem;
  readonly #files = new Map<string, LogFile>();

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  async open(path: string): Promise<LogFile> {
    const known = this.#files.get(path);
    if (known !== undefined) {
      this.#files.delete(path);
      this.#files.set(path, known);
      return known;
    }
    const file = await this.#fileSystem.open(path, 'read');
    this.#files.set(path, file);
    if (this.#files.size > MAX_OPEN) await this.close(this.#files.keys().next().value!);
    return file;
  }

  async close(path: string): Promise<void> {
    const file = this.#files.get(path);
    this.#files.delete(path);
    await file?.close();
  }

  async closeAll(): Promise<void> {
    for (const path of [...this.#files.keys()]) await this.close(path);
  }
}
