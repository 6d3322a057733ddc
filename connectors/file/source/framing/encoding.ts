export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1' | 'raw';

/** Writes [start, stop) of `bytes` as UTF-8 into `target` from `at` on, and returns the end. */
type Transcode = (bytes: Buffer, start: number, stop: number, target: Buffer, at: number) => number;

/** What the encoding of one file makes of its bytes. */
export interface TextForm {
  /** Bytes of a code unit. */
  readonly width: 1 | 2;
  readonly isBigEndian: boolean;
  /** Bytes of the byte order mark at the beginning of the file, which is no text. */
  readonly markBytes: number;
  /** Null: values are the bytes of the file. */
  readonly transcode: Transcode | null;
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const LITTLE_ENDIAN_MARK = Buffer.from([0xff, 0xfe]);
const BIG_ENDIAN_MARK = Buffer.from([0xfe, 0xff]);

const plain: TextForm = { width: 1, isBigEndian: false, markBytes: 0, transcode: null };
const utf8Marked: TextForm = { ...plain, markBytes: UTF8_MARK.length };
const latin1: TextForm = { ...plain, transcode: latin1ToUtf8 };
const littleEndian: TextForm = { width: 2, isBigEndian: false, markBytes: 0, transcode: utf16leToUtf8 };
const bigEndian: TextForm = { width: 2, isBigEndian: true, markBytes: 0, transcode: utf16beToUtf8 };

/** By the first bytes of the file: a byte order mark tells more than the option. */
export function textFormOf(encoding: Encoding, head: Buffer): TextForm {
  if (encoding === 'raw') return plain;
  if (encoding === 'latin1') return latin1;
  if (encoding === 'utf-8') return begins(head, UTF8_MARK) ? utf8Marked : plain;
  if (begins(head, LITTLE_ENDIAN_MARK)) return { ...littleEndian, markBytes: 2 };
  if (begins(head, BIG_ENDIAN_MARK)) return { ...bigEndian, markBytes: 2 };
  return encoding === 'utf-16be' ? bigEndian : littleEndian;
}

/** So many bytes of UTF-8 come of `length` bytes at most. */
export function utf8Bytes({ width }: TextForm, length: number): number {
  return width === 1 ? 2 * length : 3 * Math.ceil(length / 2);
}

function begins(head: Buffer, mark: Buffer): boolean {
  return head.length >= mark.length && head.compare(mark, 0, mark.length, 0, mark.length) === 0;
}

function latin1ToUtf8(bytes: Buffer, start: number, stop: number, target: Buffer, at: number): number {
  for (let from = start; from < stop; from++) {
    const code = bytes[from]!;
    if (code < 0x80) target[at++] = code;
    else {
      target[at++] = 0xc0 | (code >> 6);
      target[at++] = 0x80 | (code & 0x3f);
    }
  }
  return at;
}

function utf16leToUtf8(bytes: Buffer, start: number, stop: number, target: Buffer, at: number): number {
  return utf16ToUtf8(bytes, { start, stop, low: 0 }, target, at);
}

function utf16beToUtf8(bytes: Buffer, start: number, stop: number, target: Buffer, at: number): number {
  return utf16ToUtf8(bytes, { start, stop, low: 1 }, target, at);
}

/** `low`: where in a unit its low byte stands. Halves of surrogate pairs and of units become U+FFFD. */
function utf16ToUtf8(
  bytes: Buffer,
  { start, stop, low }: { readonly start: number; readonly stop: number; readonly low: 0 | 1 },
  target: Buffer,
  at: number,
): number {
  const high = 1 - low;
  for (let from = start; from < stop; from += 2) {
    let code = from + 1 < stop ? bytes[from + low]! | (bytes[from + high]! << 8) : 0xfffd;
    if (code < 0x80) {
      target[at++] = code;
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const next = from + 3 < stop ? bytes[from + 2 + low]! | (bytes[from + 2 + high]! << 8) : 0;
      if (code < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        from += 2;
      } else code = 0xfffd;
    }
    at = putCharacter(target, at, code);
  }
  return at;
}

/** Not of ASCII. */
function putCharacter(target: Buffer, at: number, code: number): number {
  if (code < 0x800) target[at++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) target[at++] = 0xe0 | (code >> 12);
    else {
      target[at++] = 0xf0 | (code >> 18);
      target[at++] = 0x80 | ((code >> 12) & 0x3f);
    }
    target[at++] = 0x80 | ((code >> 6) & 0x3f);
  }
  target[at++] = 0x80 | (code & 0x3f);
  return at;
}
