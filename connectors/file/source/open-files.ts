import { isOther, type InputStorage } from './storage.ts';
import type { TailedFile } from './tailed-file.ts';

/** Keeps the files open that were used last, so many at most. */
export class OpenFiles {
  readonly #storage: InputStorage;
  readonly #max: number;
  /** The one that was used last stands last. */
  readonly #open = new Set<TailedFile>();

  constructor(storage: InputStorage, max: number) {
    this.#storage = storage;
    this.#max = max;
  }

  get files(): Iterable<TailedFile> {
    return this.#open;
  }

  /** False when another file has the path by now. */
  async use(file: TailedFile): Promise<boolean> {
    if (file.handle === null) {
      while (this.#open.size >= this.#max && (await this.#closeOne())) continue;
      const handle = await this.#storage.open(file.path);
      try {
        const { key, isFile, born } = await handle.status();
        if (key !== file.key || isOther(file.born, born) || !isFile) {
          await handle.close();
          return false;
        }
      } catch (error) {
        await handle.close();
        throw error;
      }
      file.handle = handle;
    }
    this.#open.delete(file);
    this.#open.add(file);
    return true;
  }

  async close(file: TailedFile): Promise<void> {
    const { handle } = file;
    file.handle = null;
    this.#open.delete(file);
    // It was only read: there is nothing that a failed close could lose.
    await handle?.close().catch(() => undefined);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((file) => this.close(file)));
  }

  /** Rather one that can be opened again by its path. False when all are in use. */
  async #closeOne(): Promise<boolean> {
    const idle = [...this.#open].filter(({ isBusy }) => !isBusy);
    const chosen = idle.find(({ missingSince, links }) => missingSince === null && links > 0) ?? idle[0];
    if (chosen === undefined) return false;
    await this.close(chosen);
    return true;
  }
}
