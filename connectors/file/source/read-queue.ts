import type { BlockReader } from './block-reader.ts';
import type { TailedFile } from './tailed-file.ts';

/** Files read at once. More would only wait for the same disk and the same budget. */
const READERS = 4;

/** Gives each file that has something to read its turn, in the order in which they asked; a file has one turn at a time, so its order holds. */
export class ReadQueue {
  readonly #turn: (file: TailedFile, reader: BlockReader) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #waiting: TailedFile[] = [];
  readonly #idle: BlockReader[];
  #isClosed = false;
  #drained: (() => void) | null = null;

  /** `turn` rejects only when nothing can go on. */
  constructor(options: {
    readonly createReader: () => BlockReader;
    readonly turn: (file: TailedFile, reader: BlockReader) => Promise<void>;
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#turn = options.turn;
    this.#onFailure = options.onFailure;
    this.#idle = Array.from({ length: READERS }, options.createReader);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#idle.length === READERS;
  }

  add(file: TailedFile): void {
    if (file.isQueued || file.isDone) return;
    file.isQueued = true;
    this.#waiting.push(file);
    this.#pump();
  }

  /** No turn begins any more; resolves when none is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#idle.length < READERS) await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  #pump(): void {
    while (!this.#isClosed && this.#idle.length > 0) {
      // One that asks again during its turn waits for the end of it.
      const index = this.#waiting.findIndex(({ isBusy }) => !isBusy);
      if (index < 0) return;
      const [file] = this.#waiting.splice(index, 1);
      void this.#serve(file!, this.#idle.pop()!);
    }
  }

  async #serve(file: TailedFile, reader: BlockReader): Promise<void> {
    file.isQueued = false;
    file.isBusy = true;
    try {
      await this.#turn(file, reader);
    } catch (error) {
      this.#onFailure(error);
    }
    file.isBusy = false;
    if (this.#waiting.length === 0) reader.trim();
    this.#idle.push(reader);
    if (this.#idle.length === READERS) this.#drained?.();
    this.#pump();
  }
}
