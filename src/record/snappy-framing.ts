import { SluiceError } from '../api/index.ts';

/** Snappy's raw blocks: each begins with its inflated length as a varint. */
export interface SnappyBlocks {
  compress(bytes: Buffer): Buffer;
  decompress(bytes: Buffer): Buffer;
}

/** `\x82SNAPPY\0`, version 1, readable from version 1 on: how Java's xerial library frames blocks, and thus Kafka. */
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const MAGIC_BYTES = 8;
const BLOCK_BYTES = 32 * 1024;
/** A copy of 64 bytes takes three; nothing in the format does better. */
const LARGEST_RATIO = 22;

export function compressXerial(snappy: SnappyBlocks, bytes: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = snappy.compress(bytes.subarray(at, at + BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** The blocks, each by itself, framed as by Java and kafkajs, or one bare block as by librdkafka. Throws `RECORD_CORRUPT`, `RECORD_UNSUPPORTED` above `limit`. */
export function decompressSnappy(snappy: SnappyBlocks, bytes: Buffer, limit: number): Buffer[] {
  const isFramed = bytes.length >= MAGIC_BYTES && bytes.compare(XERIAL_HEADER, 0, MAGIC_BYTES, 0, MAGIC_BYTES) === 0;
  const blocks = isFramed ? splitBlocks(bytes) : [bytes];
  let inflated = 0;
  for (const block of blocks) inflated += inflatedLength(block);
  if (inflated > limit) {
    throw new SluiceError('RECORD_UNSUPPORTED', `decompressing a record batch by snappy: ${inflated} bytes`);
  }
  return blocks.map((block) => snappy.decompress(block));
}

function splitBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER.length; at < bytes.length;) {
    if (at + 4 > bytes.length) throw notABlock();
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length <= 0 || length > bytes.length - at) throw notABlock();
    blocks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return blocks;
}

/** Read before the decoder allocates as much. */
function inflatedLength(block: Buffer): number {
  let length = 0;
  for (let count = 0; count < 5 && count < block.length; count++) {
    const byte = block[count]!;
    length += (byte & 0x7f) * 2 ** (7 * count);
    if (byte > 0x7f) continue;
    if (length > block.length * LARGEST_RATIO) break;
    return length;
  }
  throw notABlock();
}

function notABlock(): SluiceError {
  return new SluiceError('RECORD_CORRUPT', 'decompressing a record batch by snappy: a block has a wrong length');
}
