import type { SourceSettings } from './source.ts';

/** How the lines of a model are written into its file, and what the source has to make of that. */
export interface TailForm {
  readonly name: string;
  readonly framing: NonNullable<SourceSettings['framing']>;
  /** Of whole lines, or of the first or the last part of one; the first lacks `-end` and its line feed, which the last one is. */
  encode(text: string): Buffer;
  /** The line that a value is. */
  decode(value: string): string;
}

const CUT_BYTES = 300;
const multiline = { preset: null, maxLines: 1000, maxBytes: Infinity, timeoutMs: 60_000 };

const same = (value: string): string => value;
const folded = (text: string): string => text.replaceAll(':', ':\n ');
const unfolded = (value: string): string => value.replaceAll('\n ', '');

export const tailForms: readonly TailForm[] = [
  { name: 'lines', framing: {}, encode: (text) => Buffer.from(text), decode: same },
  {
    name: 'nul',
    framing: { framing: 'nul' },
    encode: (text) => Buffer.from(text.replaceAll('\n', '\0')),
    decode: same,
  },
  { name: 'length', framing: { framing: 'length', lengthBytes: 2 }, encode: counted, decode: same },
  {
    name: 'utf-16be with CR LF',
    framing: { encoding: 'utf-16be' },
    encode: (text) => Buffer.from(text.replaceAll('x', '語').replaceAll('\n', '\r\n'), 'utf16le').swap16(),
    decode: (value) => value.replaceAll('語', 'x'),
  },
  {
    name: 'latin1, with headers',
    framing: { encoding: 'latin1', addHeaders: ['path', 'offset', 'inode'] },
    encode: (text) => Buffer.from(text.replaceAll('x', 'é'), 'latin1'),
    decode: (value) => value.replaceAll('é', 'x'),
  },
  {
    name: 'cut',
    framing: { maxLineBytes: CUT_BYTES, onLongLine: 'truncate' },
    // A cut may be anywhere, and what stands before it must not be the same as elsewhere.
    encode: (text) => Buffer.from(text.replace(/x/g, (_, at: number) => letterAt(at * at + 7 * text.length))),
    decode: (value) => uncut(value.replace(/[A-Z]/g, 'x')),
  },
  {
    name: 'multiline by start',
    framing: { multiline: { ...multiline, patterns: { start: '^\\d+:', negate: false } } },
    encode: (text) => Buffer.from(folded(text)),
    decode: unfolded,
  },
  {
    name: 'multiline by continue, utf-16le',
    framing: { encoding: 'utf-16le', multiline: { ...multiline, patterns: { continue: '^ ', negate: false } } },
    encode: (text) => Buffer.from(folded(text), 'utf16le'),
    decode: unfolded,
  },
];

function letterAt(number: number): string {
  return String.fromCharCode(0x41 + (number % 26));
}

function uncut(value: string): string {
  return value.length === CUT_BYTES && !value.endsWith('-end') ? `${value.replace(/-e?n?$/, '')}-end` : value;
}

function counted(text: string): Buffer {
  const pieces: Buffer[] = [];
  for (const piece of text.split(/(?<=\n)/)) {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(piece.endsWith('\n') ? piece.length - 1 : piece.length + '-end'.length);
    // The last part has its length before the first.
    if (piece !== '-end\n') pieces.push(length);
    pieces.push(Buffer.from(piece.replace('\n', '')));
  }
  return Buffer.concat(pieces);
}
