import type { BatchHeader } from '../../record/index.ts';
import type { FileSystem } from './file-system.ts';
import { readWhole, removeIfThere, withFile, writeWhole } from './files.ts';
import { isMissing } from './log-errors.ts';

const OFFSET_ENTRY_BYTES = 8;
const TIME_ENTRY_BYTES = 12;
/** How many entries are gathered before they are written: what a start finds missing it makes from the segment. */
const FLUSH_ENTRIES = 1024;

interface OffsetEntry {
  /** The last offset of the batch at `position`. */
  readonly offset: number;
  readonly position: number;
}

interface TimeEntry {
  readonly timestamp: number;
  /** The last offset of the batch that has the timestamp. */
  readonly offset: number;
}

/**
 * The offset and time index of a segment as Kafka writes them (`kafka.log.OffsetIndex`, `TimeIndex`): big-endian, offsets relative to the segment's base. They only
 * make things faster: they are never synced, and whoever reads them verifies what they say.
 */
export class SegmentIndexWriter {
  readonly #fileSystem: FileSystem;
  readonly #paths: { readonly offsets: string; readonly times: string };
  readonly base: number;
  readonly #intervalBytes: number;
  #offsets: OffsetEntry[] = [];
  #times: TimeEntry[] = [];
  #writtenOffsets = 0;
  #writtenTimes = 0;
  #bytesSinceEntry = 0;
  #lastTimestamp = -1;
  #largest: TimeEntry = { timestamp: -1, offset: 0 };
  #flushing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(
    fileSystem: FileSystem,
    paths: { readonly offsets: string; readonly times: string },
    options: { readonly base: number; readonly intervalBytes: number },
  ) {
    this.#fileSystem = fileSystem;
    this.#paths = paths;
    this.base = options.base;
    this.#intervalBytes = options.intervalBytes;
  }

  get largestTimestamp(): number {
    return this.#largest.timestamp;
  }

  /** A batch that is committed. */
  add({ baseOffset, lastOffsetDelta, maxTimestamp, byteLength }: BatchHeader, position: number): void {
    const offset = baseOffset + lastOffsetDelta;
    if (maxTimestamp > this.#largest.timestamp) this.#largest = { timestamp: maxTimestamp, offset };
    if (this.#bytesSinceEntry > this.#intervalBytes) {
      this.#offsets.push({ offset, position });
      this.#addTime();
      this.#bytesSinceEntry = 0;
      if (this.#offsets.length >= FLUSH_ENTRIES) void this.flush();
    }
    this.#bytesSinceEntry += byteLength;
  }

  /** Before anything else. What a file of that name held before is replaced. */
  async begin(): Promise<void> {
    for (const path of Object.values(this.#paths)) {
      await removeIfThere(this.#fileSystem, path);
      await (await this.#fileSystem.open(path, 'create')).close();
    }
  }

  /** Nothing is added afterwards. */
  async end(): Promise<void> {
    this.#addTime();
    await this.flush();
  }

  /** Never rejects: without an index a reader takes longer, that is all. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write()).catch(() => void (this.#hasFailed = true));
    return this.#flushing;
  }

  #addTime(): void {
    if (this.#largest.timestamp <= this.#lastTimestamp) return;
    this.#times.push(this.#largest);
    this.#lastTimestamp = this.#largest.timestamp;
  }

  async #write(): Promise<void> {
    if (this.#hasFailed) return;
    const [offsets, times] = [this.#offsets, this.#times];
    this.#offsets = [];
    this.#times = [];
    if (offsets.length > 0) {
      await this.#append(this.#paths.offsets, this.#offsetBytes(offsets), this.#writtenOffsets * OFFSET_ENTRY_BYTES);
      this.#writtenOffsets += offsets.length;
    }
    if (times.length > 0) {
      await this.#append(this.#paths.times, this.#timeBytes(times), this.#writtenTimes * TIME_ENTRY_BYTES);
      this.#writtenTimes += times.length;
    }
  }

  async #append(path: string, bytes: Buffer, position: number): Promise<void> {
    await withFile(this.#fileSystem, path, 'write', (file) => writeWhole(file, [bytes], position));
  }

  #offsetBytes(entries: readonly OffsetEntry[]): Buffer {
    const bytes = Buffer.allocUnsafe(entries.length * OFFSET_ENTRY_BYTES);
    entries.forEach(({ offset, position }, index) => {
      bytes.writeInt32BE(offset - this.base, index * OFFSET_ENTRY_BYTES);
      bytes.writeInt32BE(position, index * OFFSET_ENTRY_BYTES + 4);
    });
    return bytes;
  }

  #timeBytes(entries: readonly TimeEntry[]): Buffer {
    const bytes = Buffer.allocUnsafe(entries.length * TIME_ENTRY_BYTES);
    entries.forEach(({ timestamp, offset }, index) => {
      bytes.writeBigInt64BE(BigInt(timestamp), index * TIME_ENTRY_BYTES);
      bytes.writeInt32BE(offset - this.base, index * TIME_ENTRY_BYTES + 8);
    });
    return bytes;
  }
}

/** A position at or before that of the batch with `offset`; 0 when the index does not know. To be verified. */
export async function lookUpPosition(
  fileSystem: FileSystem,
  path: string,
  { base, offset }: { readonly base: number; readonly offset: number },
): Promise<number> {
  const bytes = await readIfThere(fileSystem, path);
  let low = 0;
  let high = Math.floor(bytes.length / OFFSET_ENTRY_BYTES);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (base + bytes.readInt32BE(middle * OFFSET_ENTRY_BYTES) < offset) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : bytes.readInt32BE((low - 1) * OFFSET_ENTRY_BYTES + 4);
}

/** The largest timestamp of a segment that was closed; null when the index does not know. */
export async function lookUpLargestTimestamp(fileSystem: FileSystem, path: string): Promise<number | null> {
  const bytes = await readIfThere(fileSystem, path);
  const entries = Math.floor(bytes.length / TIME_ENTRY_BYTES);
  return entries === 0 ? null : Number(bytes.readBigInt64BE((entries - 1) * TIME_ENTRY_BYTES));
}

async function readIfThere(fileSystem: FileSystem, path: string): Promise<Buffer> {
  try {
    return await readWhole(fileSystem, path);
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
}
