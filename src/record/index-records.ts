import { corrupt, type BatchHeader } from './header.ts';
import { checkHeaders } from './headers.ts';
import { SMALLEST_RECORD_BYTES } from './layout.ts';
import type { RecordPlaces } from './record-places.ts';
import { readVarint, readVarlong, skipVarint } from './varint.ts';

const MIN_RECORD_SIZE = SMALLEST_RECORD_BYTES - 1;

interface RecordSpan {
  readonly header: BatchHeader;
  /** The records lie in [at, end), without compression. */
  readonly bytes: Buffer;
  readonly at: number;
  readonly end: number;
  /** Records below this offset are checked and left out. */
  readonly from: number;
  /** The number of the segment that `bytes` are. */
  readonly segment: number;
  /** Where the batch begins in its chunk, for messages. */
  readonly batchAt: number;
}

/**
 * Adds the records of a batch to `places` and returns the bytes of their keys, values and headers. Every length is held against the record's end and that
 * against the batch's, so that later accesses need no checks; reads beyond the bytes on the way there give zeros, never faults. Throws
 * `RECORD_CORRUPT`; the entries of `places` below its count are as before.
 */
export function indexRecords(places: RecordPlaces, span: RecordSpan): number {
  const { header, bytes, end, from, batchAt } = span;
  const { baseOffset, baseTimestamp, lastOffsetDelta } = header;
  // Nothing is left of it but its offsets.
  if (header.count === 0) return 0;
  let at = span.at;
  if (header.count > (end - at) / SMALLEST_RECORD_BYTES) throw corrupt(batchAt, 'more records than its bytes hold');
  places.reserve(places.count + header.count);
  const { keyStarts, keyLengths, valueStarts, valueLengths, ends, offsets, timestamps } = places;
  const firstIndex = places.count;
  let index = firstIndex;
  let payload = 0;
  let previousDelta = -1;
  for (let record = 0; record < header.count; record++) {
    const size = readVarint(bytes, at);
    at = skipVarint(bytes, at);
    if (at < 0 || size < MIN_RECORD_SIZE || size > end - at)
      throw corrupt(batchAt, `record ${record} has a wrong size`);
    const next = at + size;
    // Behind the attributes, which nothing uses.
    const timestampAt = at + 1;
    at = skipVarint(bytes, timestampAt);
    if (at < 0) throw corrupt(batchAt, `record ${record} has a wrong timestamp`);
    const delta = readVarint(bytes, at);
    at = skipVarint(bytes, at);
    if (at < 0 || delta <= previousDelta || delta > lastOffsetDelta) {
      throw corrupt(batchAt, `record ${record} has a wrong offset`);
    }
    previousDelta = delta;
    const keyLength = readVarint(bytes, at);
    const keyStart = skipVarint(bytes, at);
    if (keyStart < 0 || keyLength < -1 || keyLength > next - keyStart) {
      throw corrupt(batchAt, `record ${record} has a wrong key length`);
    }
    at = keyLength > 0 ? keyStart + keyLength : keyStart;
    const valueLength = readVarint(bytes, at);
    const valueStart = skipVarint(bytes, at);
    if (valueStart < 0 || valueLength < -1 || valueLength > next - valueStart) {
      throw corrupt(batchAt, `record ${record} has a wrong value length`);
    }
    at = valueLength > 0 ? valueStart + valueLength : valueStart;
    // Almost no record has headers: one byte that says so ends it.
    const isBare = at === next - 1 && bytes[at] === 0;
    if (!isBare && checkHeaders(bytes, at, next) !== next) {
      throw corrupt(batchAt, `record ${record} has wrong headers`);
    }
    const headerBytes = next - at - 1;
    at = next;
    if (baseOffset + delta < from) continue;
    keyStarts[index] = keyStart;
    keyLengths[index] = keyLength;
    valueStarts[index] = valueStart;
    valueLengths[index] = valueLength;
    ends[index] = next;
    offsets[index] = baseOffset + delta;
    timestamps[index] = baseTimestamp + readVarlong(bytes, timestampAt);
    payload += (keyLength > 0 ? keyLength : 0) + (valueLength > 0 ? valueLength : 0) + headerBytes;
    index++;
  }
  if (at !== end) throw corrupt(batchAt, 'bytes are left behind its last record');
  if (header.isAppendTime) timestamps.fill(header.maxTimestamp, firstIndex, index);
  places.segmentOf.fill(span.segment, firstIndex, index);
  places.count = index;
  return payload;
}
