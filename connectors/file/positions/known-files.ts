import type { CheckContext, PositionChange } from 'sluice/api';
import { checkBefore, readAt } from '../source/content.ts';
import { Complaints } from '../source/complaints.ts';
import { createBoundaries, type Beginning, type Boundaries } from '../source/framing/boundaries.ts';
import { framingSettings } from '../source/framing/settings.ts';
import { Glob } from '../source/glob.ts';
import type { FoundFile } from '../source/newcomers.ts';
import { toPosition, type SavedPosition } from '../source/position.ts';
import { Scanner } from '../source/scanner.ts';
import { compressionOf, HEAD_BYTES } from '../source/signature.ts';
import { createNodeStorage, type InputFile, type InputStorage } from '../source/storage.ts';
import type { SourceOptions } from '../source-options.ts';

/** Where in a file to begin, and what has to be said about that. */
export type NotedBeginning = Beginning & { readonly note?: string };

/** The files that a source would find just now. */
export class KnownFiles {
  readonly #storage: InputStorage;
  readonly boundaries: Boundaries;
  readonly files: readonly FoundFile[];

  private constructor(storage: InputStorage, boundaries: Boundaries, files: readonly FoundFile[]) {
    this.#storage = storage;
    this.boundaries = boundaries;
    this.files = files;
  }

  static async find(options: SourceOptions, { log }: CheckContext): Promise<KnownFiles> {
    const { include, exclude } = options;
    const storage = createNodeStorage();
    const scanner = new Scanner(new Glob(include, exclude, storage), storage, new Complaints(log));
    return new KnownFiles(storage, createBoundaries(framingSettings(options)), await scanner.scan());
  }

  async withFile<Result>({ path }: FoundFile, use: (file: InputFile) => Promise<Result>): Promise<Result> {
    const file = await this.#storage.open(path);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }

  /**
   * What is to be saved for a file that is read on from where `begin` says. Null when there is nothing that could be known again: the file is empty, compressed,
   * or another one by now.
   */
  positionIn(
    found: FoundFile,
    begin: (file: InputFile, size: number) => Promise<NotedBeginning>,
    before: SavedPosition | null,
  ): Promise<PositionChange | null> {
    return this.withFile(found, async (file) => {
      const { key, size, born } = await file.status();
      const head = await readAt(file, 0, HEAD_BYTES);
      if (key !== found.status.key || head.length === 0 || compressionOf(head) !== null) return null;
      const { offset, isSkipping = false, note } = await begin(file, size);
      const { path } = found;
      const isRotated = before !== null && (before.isRotated || before.path !== path);
      const check = await checkBefore(file, offset);
      const position = toPosition({ path, offset, head, check, born, isSkipping, skipTo: null, isRotated, former: [] });
      return { partition: key, position, ...(note === undefined ? {} : { note }) };
    });
  }
}
