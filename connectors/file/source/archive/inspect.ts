import { CHECK_BYTES, checkOf, HEAD_BYTES } from '../signature.ts';
import type { ArchiveDamage, ArchiveFormat } from '../position.ts';
import type { InputFile } from '../storage.ts';
import type { RecordEnds } from '../framing/record-ends.ts';
import { ArchiveError, Decompression, type Careful } from './decompression.ts';

const SMALL_STEP = 64;

/** What one pass over a compressed file tells of what it holds. */
export interface ArchiveContent {
  readonly head: Buffer;
  readonly length: number;
  /** Behind the last whole record. */
  readonly recordEnd: number;
  /** `checkOf` the bytes before its end, and before each of the offsets that were asked for and are in it. */
  readonly endCheck: string;
  readonly checks: ReadonlyMap<number, string>;
  readonly damage: ArchiveDamage | null;
}

/** The first bytes of what it holds, fewer when it holds less. Of a damaged one what there is. */
export async function archiveHead(file: InputFile, format: ArchiveFormat): Promise<Buffer> {
  const decompression = new Decompression(file, format, { from: 0, step: SMALL_STEP });
  let head = Buffer.alloc(0);
  try {
    while (head.length < HEAD_BYTES) {
      const piece = await decompression.next();
      if (piece === null) break;
      head = Buffer.concat([head, piece.subarray(0, HEAD_BYTES - head.length)]);
    }
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
  } finally {
    decompression.close();
  }
  return head;
}

interface InspectOptions {
  /** Sorted. */
  readonly offsets: readonly number[];
  /** For each pass a new one. */
  readonly createEnds: () => RecordEnds;
  readonly signal: AbortSignal;
}

/** Reads all of it, holding little. Rejects with the signal's reason, or with what reading rejects with. */
export async function inspectArchive(
  file: InputFile,
  format: ArchiveFormat,
  options: InspectOptions,
): Promise<ArchiveContent> {
  const [content, error] = await passOver(file, format, options);
  if (error === null) return content.told(null);
  const { kind, at, message } = error;
  if (kind === 'truncated') return content.told({ kind, at, cause: message });
  // Again, for what stands in the same block as the fault and before it: first where that is, then byte by byte.
  const [, nearer] = await passOver(file, format, options, { from: at, step: SMALL_STEP });
  const carefulFrom = nearer?.at ?? at;
  const [careful, nearest] = await passOver(file, format, options, { from: carefulFrom, step: 1 });
  return careful.told({ kind, at: nearest?.at ?? carefulFrom, carefulFrom, cause: message });
}

async function passOver(
  file: InputFile,
  format: ArchiveFormat,
  { offsets, createEnds, signal }: InspectOptions,
  careful?: Careful,
): Promise<[RunningContent, ArchiveError | null]> {
  const content = new RunningContent(offsets, createEnds());
  const decompression = new Decompression(file, format, careful);
  try {
    for (let piece = await decompression.next(); piece !== null; piece = await decompression.next()) {
      signal.throwIfAborted();
      content.add(piece);
    }
    return [content, null];
  } catch (error) {
    if (error instanceof ArchiveError) return [content, error];
    throw error;
  } finally {
    decompression.close();
  }
}

class RunningContent {
  #head = Buffer.alloc(0);
  #length = 0;
  /** The last bytes so far, as many as a check is made of. */
  #tail: Buffer = Buffer.alloc(0);
  readonly #checks = new Map<number, string>();
  readonly #offsets: readonly number[];
  readonly #ends: RecordEnds;
  #next = 0;

  constructor(offsets: readonly number[], ends: RecordEnds) {
    this.#offsets = offsets;
    this.#ends = ends;
  }

  add(piece: Buffer): void {
    const from = this.#length;
    if (from < HEAD_BYTES) this.#head = Buffer.concat([this.#head, piece.subarray(0, HEAD_BYTES - from)]);
    this.#ends.add(piece, from);
    for (; this.#next < this.#offsets.length; this.#next++) {
      const offset = this.#offsets[this.#next]!;
      if (offset > from + piece.length) break;
      const before = this.#lastBytes(piece, offset - from);
      this.#checks.set(offset, checkOf(before, 0, before.length));
    }
    this.#tail = this.#lastBytes(piece, piece.length);
    this.#length += piece.length;
  }

  told(damage: ArchiveDamage | null): ArchiveContent {
    return {
      head: this.#head,
      length: this.#length,
      recordEnd: this.#ends.last,
      endCheck: checkOf(this.#tail, 0, this.#tail.length),
      checks: this.#checks,
      damage,
    };
  }

  /** The `CHECK_BYTES` before index `end` of the piece. A copy. */
  #lastBytes(piece: Buffer, end: number): Buffer {
    const own = piece.subarray(Math.max(0, end - CHECK_BYTES), end);
    const older = Math.min(this.#tail.length, CHECK_BYTES - own.length);
    return Buffer.concat([this.#tail.subarray(this.#tail.length - older), own]);
  }
}
