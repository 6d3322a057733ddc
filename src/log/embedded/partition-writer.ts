import { join } from 'node:path';
import { SluiceError } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import { readBatchHeader, setBaseOffset, type BatchHeader } from '../../record/index.ts';
import type { SealedBatch } from '../topic-log.ts';
import type { FileSystem, LogFile } from './file-system.ts';
import { cutDurably, listIfThere, removeIfThere, withFile, writeWhole } from './files.ts';
import type { PartitionEnd } from './journal-frame.ts';
import type { LogLimits } from './limits.ts';
import { OFFSET_INDEX_SUFFIX, parseSegmentName, SEGMENT_SUFFIX, segmentName, TIME_INDEX_SUFFIX } from './paths.ts';
import { lookUpLargestTimestamp, SegmentIndexWriter } from './segment-index.ts';
import { scanHeaders } from './segment-scan.ts';

/** Positions and relative offsets in Kafka's index are 32 bits. */
const MAX_RELATIVE = 2 ** 31 - 1;

export interface Segment {
  readonly base: number;
  bytes: number;
  /** The largest timestamp of the first so many bytes, once it was looked for. */
  largest?: { readonly bytes: number; readonly timestamp: number };
}

/** Bytes that go into one file. */
interface Piece {
  readonly base: number;
  readonly position: number;
  readonly isNew: boolean;
  readonly buffers: Buffer[];
  readonly batches: { readonly header: BatchHeader; readonly position: number }[];
}

interface ActiveSegment {
  readonly file: LogFile;
  readonly base: number;
}

export interface PartitionWriterOptions {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  readonly committed: PartitionEnd;
  readonly limits: LogLimits;
}

/**
 * The one writer of a partition. `stage` plans, `write` makes it durable, and then either `commit` or `rollBack`: until then the segments beyond the committed end are
 * nobody's business.
 */
export class PartitionWriter {
  readonly #options: PartitionWriterOptions;
  readonly #segments: Segment[];
  #committed: PartitionEnd;
  #staged: PartitionEnd;
  #pieces: Piece[] = [];
  #active: ActiveSegment | null = null;
  /** Files of this stage, opened for it. */
  readonly #opened: ActiveSegment[] = [];
  #index: SegmentIndexWriter | null = null;
  /** The newest file is not to be trusted with more. */
  #rollsNext = false;
  /** Committed batches that the index does not know yet. */
  readonly #untidy: Pick<Piece, 'base' | 'isNew' | 'batches'>[] = [];
  readonly #givenUp: Segment[] = [];

  private constructor(options: PartitionWriterOptions, segments: Segment[]) {
    this.#options = options;
    this.#segments = segments;
    this.#committed = this.#staged = options.committed;
  }

  static async open(options: PartitionWriterOptions): Promise<PartitionWriter> {
    const { fileSystem, folder, committed } = options;
    const names = await listIfThere(fileSystem, folder);
    const bases = names.flatMap((name) => parseSegmentName(name) ?? []).sort((a, b) => a - b);
    const segments: Segment[] = [];
    for (const base of bases.filter((one) => one >= committed.start && one < committed.segment)) {
      const bytes = await withFile(fileSystem, join(folder, segmentName(base)), 'read', (file) => file.size());
      segments.push({ base, bytes });
    }
    segments.push({ base: committed.segment, bytes: committed.bytes });
    return new PartitionWriter(options, segments);
  }

  get committed(): PartitionEnd {
    return this.#committed;
  }

  /** What the journal must say for the staged bytes to become visible. */
  get staged(): PartitionEnd {
    return this.#staged;
  }

  get hasStaged(): boolean {
    return this.#staged !== this.#committed;
  }

  /** Oldest first; the last is the one that is written. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Stamps the offsets and plans where the batch goes. The buffer is the log's until the stage is over. */
  stage({ bytes, count, topic, partition }: SealedBatch): void {
    const { limits } = this.#options;
    const { end, segment, bytes: written } = this.#staged;
    setBaseOffset(bytes, 0, end);
    const header = checkedHeader(bytes, count, `${topic}-${partition}`);
    const isFull = written + bytes.length > limits.segmentBytes || end + count - segment > MAX_RELATIVE;
    const isSuspect = this.#rollsNext && segment === this.#committed.segment;
    if (written > 0 && (isFull || isSuspect)) this.roll();
    const { segment: base, bytes: position } = this.#staged;
    let piece = this.#pieces.at(-1);
    if (piece?.base !== base) {
      const isNew = position === 0;
      this.#pieces.push((piece = { base, position, isNew, buffers: [], batches: [] }));
    }
    piece.buffers.push(bytes);
    piece.batches.push({ header, position });
    this.#staged = { ...this.#staged, end: end + count, bytes: position + bytes.length };
  }

  /** What comes goes into a new file. */
  roll(): void {
    const { end } = this.#staged;
    if (this.#staged.bytes === 0) return;
    this.#staged = { ...this.#staged, segment: end, bytes: 0 };
    this.#pieces.push({ base: end, position: 0, isNew: true, buffers: [], batches: [] });
  }

  /** Records below `start` are given up: a segment's base, or the end after `roll`. */
  stageStart(start: number): void {
    this.#staged = { ...this.#staged, start };
  }

  /** Resolves when the staged bytes are durable. */
  async write(): Promise<void> {
    for (const piece of this.#pieces) {
      const { file } = await this.#fileFor(piece);
      if (piece.buffers.length > 0) await writeWhole(file, piece.buffers, piece.position);
      await file.sync();
    }
    // A frame that names a file must not outlive its name.
    if (this.#pieces.some(({ isNew }) => isNew)) await this.#options.fileSystem.syncFolder(this.#options.folder);
  }

  /** The frame is durable. */
  commit(): void {
    if (this.#staged.segment !== this.#committed.segment) this.#rollsNext = false;
    this.#committed = this.#staged;
    this.#adoptFiles();
    for (const { base, position, buffers } of this.#pieces) {
      const bytes = buffers.reduce((sum, { length }) => sum + length, position);
      const newest = this.#segments.at(-1)!;
      if (newest.base === base) newest.bytes = bytes;
      else this.#segments.push({ base, bytes });
    }
    this.#untidy.push(...this.#pieces.map(({ base, isNew, batches }) => ({ base, isNew, batches })));
    this.#pieces = [];
    const { start } = this.#committed;
    const kept = this.#segments.findIndex((_, index) => (this.#segments[index + 1]?.base ?? Infinity) > start);
    this.#givenUp.push(...this.#segments.splice(0, kept));
  }

  /** What nobody waits for: brings the index up to date and removes what retention gave up. Never rejects. */
  async tidy(): Promise<void> {
    for (const { base, isNew, batches } of this.#untidy.splice(0)) {
      if (isNew) await this.#switchIndex(base);
      for (const { header, position } of batches) this.#index?.add(header, position);
    }
    for (const { base } of this.#givenUp.splice(0)) await this.#removeSegment(base);
  }

  /** Its disk may have lost what it was given: what comes goes into a new file. */
  suspect(): void {
    this.#rollsNext = true;
  }

  /** Takes the staged bytes away again. After a rejection call it once more before anything else. */
  async rollBack(): Promise<void> {
    const pieces = this.#pieces;
    const { fileSystem } = this.#options;
    for (const { file } of this.#opened.splice(0)) await file.close().catch(() => undefined);
    if (pieces.length === 0) {
      this.#staged = this.#committed;
      return;
    }
    await this.#closeActive();
    for (const { base, isNew } of pieces) if (isNew) await removeIfThere(fileSystem, this.#path(base));
    const { segment, bytes } = this.#committed;
    if (pieces.some(({ base, isNew }) => base === segment && !isNew))
      await withFile(fileSystem, this.#path(segment), 'write', (file) => cutDurably(file, bytes));
    this.#pieces = [];
    this.#staged = this.#committed;
  }

  /** Of the records of a segment; -1 for none. */
  async largestTimestamp(segment: Segment): Promise<number> {
    if (segment.base === this.#index?.base) return this.#index.largestTimestamp;
    const { bytes, largest } = segment;
    if (largest?.bytes === bytes) return largest.timestamp;
    const timestamp = (await this.#indexedTimestamp(segment)) ?? (await this.#scannedTimestamp(segment));
    segment.largest = { bytes, timestamp };
    return timestamp;
  }

  /** What is staged is lost. */
  async close(): Promise<void> {
    for (const { file } of this.#opened.splice(0)) await file.close();
    await this.#index?.flush();
    await this.#closeActive();
  }

  /** The index of a segment that was closed ends with it. */
  async #indexedTimestamp({ base }: Segment): Promise<number | null> {
    if (base >= this.#committed.segment) return null;
    return lookUpLargestTimestamp(this.#options.fileSystem, this.#path(base, TIME_INDEX_SUFFIX));
  }

  async #scannedTimestamp({ base, bytes }: Segment): Promise<number> {
    let largest = -1;
    if (bytes === 0) return largest;
    const path = this.#path(base);
    await withFile(this.#options.fileSystem, path, 'read', (file) =>
      scanHeaders({ file, path, from: 0, to: bytes }, ({ maxTimestamp }) => {
        largest = Math.max(largest, maxTimestamp);
        return true;
      }),
    );
    return largest;
  }

  async #closeActive(): Promise<void> {
    const active = this.#active;
    this.#active = null;
    await active?.file.close().catch(() => undefined);
  }

  async #fileFor({ base, isNew }: Piece): Promise<ActiveSegment> {
    if (this.#active?.base === base) return this.#active;
    const { fileSystem } = this.#options;
    // A file of this name beyond the committed end is what an attempt left that could not be taken away.
    if (isNew) await removeIfThere(fileSystem, this.#path(base));
    const file = await fileSystem.open(this.#path(base), isNew ? 'create' : 'write');
    const opened = { file, base };
    this.#opened.push(opened);
    if (isNew) crashPoint('segment-created');
    if (!isNew && this.#index === null) await this.#restoreIndex(file, base);
    return opened;
  }

  #adoptFiles(): void {
    const newest = this.#opened.pop();
    if (newest === undefined) return;
    const replaced = [...this.#opened.splice(0), ...(this.#active === null ? [] : [this.#active])];
    this.#active = newest;
    for (const { file } of replaced) void file.close().catch(() => undefined);
  }

  async #switchIndex(base: number): Promise<void> {
    if (this.#index !== null) void this.#index.end();
    await this.#createIndex(base);
  }

  async #createIndex(base: number): Promise<SegmentIndexWriter | null> {
    const { fileSystem, limits } = this.#options;
    const paths = { offsets: this.#path(base, OFFSET_INDEX_SUFFIX), times: this.#path(base, TIME_INDEX_SUFFIX) };
    const index = new SegmentIndexWriter(fileSystem, paths, { base, intervalBytes: limits.indexIntervalBytes });
    try {
      await index.begin();
      this.#index = index;
    } catch {
      this.#index = null;
    }
    return this.#index;
  }

  /** Of a segment that was written before this start. */
  async #restoreIndex(file: LogFile, base: number): Promise<void> {
    const index = await this.#createIndex(base);
    if (index === null) return;
    const path = this.#path(base);
    await scanHeaders({ file, path, from: 0, to: this.#committed.bytes }, (header, position) => {
      index.add(header, position);
      return true;
    });
  }

  async #removeSegment(base: number): Promise<void> {
    const { fileSystem } = this.#options;
    for (const suffix of [SEGMENT_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX]) {
      await removeIfThere(fileSystem, this.#path(base, suffix)).catch(() => undefined);
      crashPoint('segment-unlinked');
    }
  }

  #path(base: number, suffix: string = SEGMENT_SUFFIX): string {
    return join(this.#options.folder, segmentName(base, suffix));
  }
}

function checkedHeader(bytes: Buffer, count: number, partition: string): BatchHeader {
  const header = readBatchHeader(bytes, 0);
  if (header.byteLength !== bytes.length || header.lastOffsetDelta + 1 !== count)
    throw new SluiceError('RECORD_CORRUPT', `storing a batch in ${partition}: its header does not say what it holds`);
  return header;
}
