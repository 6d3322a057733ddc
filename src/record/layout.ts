/** Kafka's record batch v2, big-endian. The CRC-32C covers everything from `attributes` on. */
export const BATCH_HEADER_BYTES = 61;

export const AT = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const;

/** `batchLength` counts from here. */
export const LENGTH_COUNTS_FROM = 12;

export const ATTRIBUTE = { compression: 0x07, appendTime: 0x08, transactional: 0x10, control: 0x20 } as const;

/** A record without key, value and headers: six one-byte fields behind its size. */
export const SMALLEST_RECORD_BYTES = 7;

/**
 * How many bytes of buffer a record of `payloadBytes` (key, value, header names and values together) takes at most as the only one of
 * its batch. `headers` is their number.
 */
export function bufferBytesFor(payloadBytes: number, headers = 0): number {
  return BATCH_HEADER_BYTES + 32 + payloadBytes + headers * 10;
}

/** Writes a 64-bit integer that a double holds exactly. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / 0x100000000), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}

/** Exact up to 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x100000000 + bytes.readUInt32BE(at + 4);
}
