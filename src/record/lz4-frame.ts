import { SluiceError } from '../api/index.ts';

const MAGIC = 0x184d2204;
const FLAG = { contentChecksum: 0x04, contentSize: 0x08, blockChecksum: 0x10, dictionary: 0x01 } as const;
/** The longest run that a byte of lz4 can stand for. */
const LARGEST_RATIO = 255;

/**
 * An upper bound of what an lz4 frame inflates to, from the sizes of its blocks alone, since the decoder itself knows no limit. Throws
 * `RECORD_CORRUPT` when the bytes are not laid out as one frame: the decoder would pass over whatever lies behind it.
 */
export function boundLz4Frame(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw notAFrame();
  const flags = bytes[4]!;
  const blockBytes = 1 << (8 + 2 * ((bytes[5]! >>> 4) & 0x07));
  const trailerBytes = (flags & FLAG.blockChecksum) === 0 ? 0 : 4;
  let at = 7 + ((flags & FLAG.contentSize) === 0 ? 0 : 8) + ((flags & FLAG.dictionary) === 0 ? 0 : 4);
  let bound = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw notAFrame();
    const header = bytes.readUInt32LE(at);
    if (header === 0) break;
    const size = header & 0x7fffffff;
    bound += header > 0x7fffffff ? size : Math.min(blockBytes, size * LARGEST_RATIO);
    at += 4 + size + trailerBytes;
  }
  const end = at + 4 + ((flags & FLAG.contentChecksum) === 0 ? 0 : 4);
  if (end !== bytes.length) throw notAFrame();
  return bound;
}

function notAFrame(): SluiceError {
  return new SluiceError('RECORD_CORRUPT', 'decompressing a record batch by lz4: not a whole frame');
}
