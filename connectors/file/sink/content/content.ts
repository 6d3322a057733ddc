import type { RecordBatch } from 'sluice/api';

/** How records become the bytes of files. */
export type Content = LineContent | RowContent;

interface AnyContent {
  /** Of the names of published files, with its dot. */
  readonly ending: string;
}

/** Each record is a line, laid out with those of its batch. Without a body lines go into the file as they are. */
export interface LineContent extends AnyContent {
  readonly kind: 'lines';
  /** Are values that are not JSON refused, and line feeds in them made spaces? */
  readonly isJson: boolean;
  readonly begin: (() => FileBody) | null;
}

/** Each record is decoded and becomes a row. */
export interface RowContent extends AnyContent {
  readonly kind: 'rows';
  /** Puts what the record becomes behind what is there. Throws a `SluiceError` that rejects the record, and then nothing is added. */
  addTo(rows: unknown[], batch: RecordBatch, index: number): void;
  begin(): FileBody;
}

/** What a batch adds to a file: lines or rows. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly rows: readonly unknown[];
  readonly records: number;
  /** Bytes of the values that became rows. */
  readonly size: number;
}

/**
 * Gathers what belongs into one file and encodes it in blocks. What is gathered counts as written: nothing of it can fail any more but the writing of
 * the block. So a batch is added when its attempt is over, and blocks hold whole batches that went before.
 */
export interface FileBody {
  /** Bytes that wait to be encoded, about. */
  readonly gathered: number;
  /** So many of them are a block. */
  readonly block: number;
  add(part: Part): void;
  /** What was gathered, encoded; the same bytes again until `written` is called. */
  encode(): Uint8Array;
  written(): void;
  /** What ends the file, when all blocks are written. */
  end(): Uint8Array;
}

export const NOTHING = new Uint8Array(0);

/** The common part of bodies: a block stays as it was encoded until it is written. */
export abstract class BlockBody implements FileBody {
  gathered = 0;
  abstract readonly block: number;
  #encoded: Uint8Array | null = null;

  add(part: Part): void {
    this.gathered += this.take(part);
  }

  encode(): Uint8Array {
    return (this.#encoded ??= this.encodeBlock());
  }

  written(): void {
    this.#encoded = null;
    this.gathered = 0;
    this.clear();
  }

  end(): Uint8Array {
    return NOTHING;
  }

  /** Returns the bytes that it takes. */
  protected abstract take(part: Part): number;
  protected abstract encodeBlock(): Uint8Array;
  /** Forgets what was encoded. */
  protected abstract clear(): void;
}
