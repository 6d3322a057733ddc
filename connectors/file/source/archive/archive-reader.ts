import { SluiceError, type RejectedRecord, type SourceContext } from 'sluice/api';
import type { BlockReader } from '../block-reader.ts';
import { toPosition, type ArchiveMark } from '../position.ts';
import type { InputFile, InputStorage } from '../storage.ts';
import type { TailedFile } from '../tailed-file.ts';
import { InflatedFile } from './inflated-file.ts';

export type Archive = TailedFile & { archive: ArchiveMark };

/** Reads what a compressed file holds, from the offset of its position to its end or to where it is damaged. */
export class ArchiveReader {
  readonly #context: SourceContext;
  readonly #storage: InputStorage;
  readonly #reader: BlockReader;
  readonly #onEmitted: (emitted: Promise<void>) => void;
  readonly #onSaved: ((file: Archive) => void) | null;

  constructor(options: {
    readonly context: SourceContext;
    readonly storage: InputStorage;
    readonly reader: BlockReader;
    readonly onEmitted: (emitted: Promise<void>) => void;
    /** Its position is durable for the first time, before anything of it is read. Null: it is saved with the first records. */
    readonly onSaved: ((file: Archive) => void) | null;
  }) {
    this.#context = options.context;
    this.#storage = options.storage;
    this.#reader = options.reader;
    this.#onEmitted = options.onEmitted;
    this.#onSaved = options.onSaved;
  }

  /** `changed` when the file is not the one any more that the position speaks of, `stopped` when `goesOn` says so. */
  async read(file: Archive, goesOn: () => boolean): Promise<'end' | 'changed' | 'stopped'> {
    const mark = file.archive;
    const opened = await this.#storage.open(file.path);
    const { format } = mark;
    const inflated = format === 'none' ? opened : new InflatedFile(opened, { ...mark, format });
    try {
      const { key, size, modified } = await inflated.status();
      if (key !== file.key || size !== mark.bytes || String(modified) !== mark.modified) return 'changed';
      if (file.isUnsaved && this.#onSaved !== null) {
        await this.#emit(file, []);
        this.#onSaved(file);
      }
      file.limit = mark.limit;
      file.size = mark.limit;
      while (file.offset < mark.limit) {
        this.#context.signal.throwIfAborted();
        if (!goesOn()) return 'stopped';
        const end = await this.#reader.read(file, inflated);
        if (end === 'replaced') return 'changed';
        if (end === 'end') break;
      }
      await this.#finish(file, inflated);
      return 'end';
    } finally {
      this.#reader.trim();
      await inflated.close();
    }
  }

  /** Saves that nothing is left; in the same commit, once, what is wrong with it. */
  async #finish(file: Archive, inflated: InputFile): Promise<void> {
    const { archive: mark } = file;
    if (file.offset >= mark.limit && !file.isUnsaved && (mark.damage === null || mark.isTold)) return;
    const rejected = mark.damage === null || mark.isTold ? [] : [await this.#refusal(file, inflated)];
    // Bytes at the end that are no record are not looked for again.
    file.archive = { ...mark, limit: Math.min(mark.limit, file.offset), isTold: mark.damage !== null };
    await this.#emit(file, rejected);
  }

  async #emit(file: Archive, rejected: readonly RejectedRecord[]): Promise<void> {
    const { stream, key } = file;
    file.isUnsaved = false;
    const batch = await this.#context.batch();
    const position = toPosition(file.position(this.#context.clock.monotonic()));
    const emitted = this.#context.emit(batch, { stream, positions: [[key, position]], rejected });
    this.#onEmitted(emitted);
    await emitted;
  }

  /** Names the place in both: what the archive is cut to, and how far its lines came. Beside it the half line before. */
  async #refusal(file: Archive, inflated: InputFile): Promise<RejectedRecord> {
    const { path, archive: mark } = file;
    const { at, cause, kind } = mark.damage!;
    const rest = Buffer.alloc(Math.min(mark.length - mark.limit, this.#context.maxRecordBytes));
    const count = await inflated.read(rest, 0, rest.length, mark.limit);
    const error = new SluiceError(
      'ARCHIVE_DAMAGED',
      `decompressing "${path}": ${kind} at byte ${at}, ${cause}; what it holds up to byte ${mark.limit} was read`,
    );
    this.#context.log.warn({ path, at, offset: mark.limit, cause, code: error.code }, 'compressed file damaged');
    return { value: rest.subarray(0, count), error, position: `${path}@${mark.limit}` };
  }
}
