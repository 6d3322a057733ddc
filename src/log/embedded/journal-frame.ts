import type { Position } from '../../api/index.ts';
import { crc32c } from '../../record/index.ts';

/** F5 never occurs in UTF-8: no frame can begin within the text of another. */
const MAGIC = Buffer.from([0xf5, 0x53, 0x4c, 0x4a]);
const HEADER_BYTES = 12;

/** Where a partition begins and ends. `bytes` of the file `segment`, named by its base offset, are committed. */
export interface PartitionEnd {
  readonly start: number;
  readonly end: number;
  readonly segment: number;
  readonly bytes: number;
}

/** What a pipeline keeps of a sink. */
export interface SinkState {
  readonly topic: string;
  /** The topic's id. */
  readonly id: string;
  /** The next offset wanted, by partition. */
  readonly next: readonly number[];
  /** Counts an operator's resets. */
  readonly reset: number;
}

/** What one group commit changes, as JSON. A snapshot is one frame as well: it makes the whole state from nothing. */
export interface JournalFrame {
  /** Rises by one from frame to frame. */
  readonly sequence: number;
  readonly ends?: readonly (readonly [topicId: string, partition: number, end: PartitionEnd])[];
  readonly positions?: readonly (readonly [source: string, partition: string, position: Position | null])[];
  readonly dedupe?: readonly (readonly [source: string, id: string, atMs: number])[];
  readonly offsets?: readonly (readonly [sink: string, partition: number, next: number])[];
  /** Null forgets the sink. */
  readonly sinks?: readonly (readonly [sink: string, state: SinkState | null])[];
  /** The resets of sinks that were forgotten: they go on counting when the sink comes back. */
  readonly resets?: readonly (readonly [sink: string, reset: number])[];
  readonly forgottenSources?: readonly string[];
}

/** The first frame of a journal and of a snapshot. */
export interface GenerationHeader {
  readonly version: 1;
  readonly pipeline: string;
  readonly generation: number;
  /** So many bytes of the journal before are committed; what may lie behind never was. */
  readonly previousBytes: number;
}

export function encodeFrame(content: JournalFrame | GenerationHeader): Buffer {
  const text = JSON.stringify(content);
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  MAGIC.copy(bytes);
  bytes.writeUInt32BE(length, 4);
  bytes.write(text, HEADER_BYTES);
  bytes.writeUInt32BE(checksum(bytes, 0, length), 8);
  return bytes;
}

/** The content of the frame at `at` and the position after it; null when no good frame is there. */
export function decodeFrame(bytes: Buffer, at: number): { readonly content: unknown; readonly next: number } | null {
  if (at + HEADER_BYTES > bytes.length || bytes.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) !== 0)
    return null;
  const length = bytes.readUInt32BE(at + 4);
  const next = at + HEADER_BYTES + length;
  if (next > bytes.length || checksum(bytes, at, length) !== bytes.readUInt32BE(at + 8)) return null;
  return { content: JSON.parse(bytes.toString('utf8', at + HEADER_BYTES, next)) as unknown, next };
}

/** Where the next good frame begins behind `at`; -1 for nowhere. */
export function findFrame(bytes: Buffer, at: number): number {
  for (let found = bytes.indexOf(MAGIC, at); found >= 0; found = bytes.indexOf(MAGIC, found + 1)) {
    if (decodeFrame(bytes, found) !== null) return found;
  }
  return -1;
}

function checksum(bytes: Buffer, at: number, length: number): number {
  const seed = crc32c(bytes.subarray(at + 4, at + 8));
  return crc32c(bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length), seed);
}
