import { BATCH_HEADER_BYTES, readBatchHeader, verifyBatch, type BatchHeader } from '../../../record/index.ts';

/** Bytes of a segment in which no batch can be read, and the offsets that are gone with them. */
export interface Hole {
  readonly at: number;
  /** Of what is there or, at the end of a file that may grow, of what has to be. */
  readonly byteLength: number;
  /** [from, to) */
  readonly from: number;
  readonly to: number;
  /** Of the last batch before. */
  readonly timestamp: number;
}

export interface SegmentSurvey {
  readonly holes: readonly Hole[];
  /** Behind the last offset, holes included. */
  readonly next: number;
  /** Where that one ends. */
  readonly byteLength: number;
}

export interface SegmentLimits {
  readonly base: number;
  /** The offset behind the segment; Infinity when only its batches tell. */
  readonly to: number;
  /** Where it ends; with `to` at Infinity, what it has at least. */
  readonly byteLength: number;
  /** With `to` at Infinity: the offset that it reaches at least. */
  readonly atLeast: number;
  /** Nothing says how long the file has to be. */
  readonly mayGrow: boolean;
}

/** Looks for the batches of a segment, whatever lies between them. */
export function findHoles(bytes: Buffer, { base, to, byteLength, atLeast, mayGrow }: SegmentLimits): SegmentSurvey {
  const isOpen = to === Infinity;
  const readable = isOpen ? bytes : bytes.subarray(0, byteLength);
  const holes: Hole[] = [];
  let [at, next, timestamp] = [0, base, -1];
  for (;;) {
    const found = findBatch(readable, at, { from: next, to });
    if (found === null) break;
    const { header, position } = found;
    if (position > at || header.baseOffset > next)
      holes.push({ at, byteLength: position - at, from: next, to: header.baseOffset, timestamp });
    at = position + header.byteLength;
    next = header.baseOffset + header.lastOffsetDelta + 1;
    timestamp = header.maxTimestamp;
  }
  const end = isOpen ? atLeast : to;
  if (next < end || (!isOpen && at < byteLength)) {
    const missing = Math.max(byteLength - at, mayGrow ? BATCH_HEADER_BYTES : 0);
    holes.push({ at, byteLength: missing, from: next, to: Math.max(next, end), timestamp });
    at += missing;
    next = Math.max(next, end);
  }
  return { holes, next, byteLength: at };
}

/** The next whole batch within [from, to) that begins at `at` or behind it. */
function findBatch(
  bytes: Buffer,
  at: number,
  { from, to }: { readonly from: number; readonly to: number },
): { readonly header: BatchHeader; readonly position: number } | null {
  for (let position = at; position + BATCH_HEADER_BYTES <= bytes.length; position++) {
    if (!verifyBatch(bytes, position)) continue;
    const header = headerOf(bytes, position);
    if (header === null || header.baseOffset < from || header.baseOffset + header.lastOffsetDelta >= to) continue;
    return { header, position };
  }
  return null;
}

/** Null for a format that is unknown, and for bytes that only look like a batch. */
function headerOf(bytes: Buffer, position: number): BatchHeader | null {
  try {
    return readBatchHeader(bytes, position);
  } catch {
    return null;
  }
}
