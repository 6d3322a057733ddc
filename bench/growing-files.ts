import { appendFile, mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** How many files of each kind there are, what share of the lines they get, and in how many rounds each gets its part. */
const KINDS = [
  { name: 'hot', files: 10, share: 0.6, every: 1 },
  { name: 'warm', files: 90, share: 0.3, every: 1 },
  { name: 'slow', files: 900, share: 0.1, every: 10 },
] as const;
/** What a core carries in about a second: so a busy file is written about once a second, as by programs that buffer what they log. */
const ROUND_LINES = 500_000;
const CHUNK_BYTES = 4 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A thousand logs of a machine: a few are written all the time, most of them now and then, and one of the busy ones is rotated in each round. */
export class GrowingFiles {
  static readonly count = KINDS.reduce((sum, { files }) => sum + files, 0);
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** All files, with one of the lines each, by which a source knows them. */
  async create(lines: LineReader): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const { name, files } of KINDS) {
      for (let file = 0; file < files; file++) await appendFile(this.#path(name, file), await lines.next(1));
    }
  }

  /** Writes so many lines, in rounds one behind the other. */
  async grow(lines: LineReader, count: number): Promise<void> {
    const rounds = Math.max(1, Math.round(count / ROUND_LINES));
    let left = count;
    for (let round = 0; round < rounds; round++) {
      await this.#rotate(round);
      for (const { name, files, share, every } of KINDS) {
        const each = Math.floor((count * share * every) / rounds / files);
        for (let file = round % every; file < files; file += every) {
          await appendFile(this.#path(name, file), await lines.next(each));
          left -= each;
        }
      }
    }
    await appendFile(this.#path('hot', 0), await lines.next(left));
  }

  async #rotate(round: number): Promise<void> {
    const path = this.#path('hot', round % KINDS[0].files);
    await rename(path, `${path}.${round}`);
  }

  #path(name: string, file: number): string {
    return join(this.#folder, `${name}-${file}.log`);
  }
}

/** Takes lines from a file, one part after the other. */
export class LineReader {
  readonly #file: FileHandle;
  #bytes = Buffer.alloc(0);

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<LineReader> {
    return new LineReader(await open(path));
  }

  /** So many further lines. Rejects when there are fewer. */
  async next(count: number): Promise<Buffer> {
    let end = 0;
    for (let found = 0; found < count; found++) {
      let feed = this.#bytes.indexOf(LINE_FEED, end);
      while (feed < 0) {
        await this.#fill();
        feed = this.#bytes.indexOf(LINE_FEED, end);
      }
      end = feed + 1;
    }
    const lines = this.#bytes.subarray(0, end);
    this.#bytes = this.#bytes.subarray(end);
    return lines;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #fill(): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await this.#file.read(chunk);
    if (bytesRead === 0) throw new Error('the file has fewer lines than are asked for');
    this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, bytesRead)]);
  }
}
