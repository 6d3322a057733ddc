const TEXT_BYTES = 64 * 1024;
/** 2026-01-01T00:00:00Z, the time of record 0; each later one is a millisecond later. */
const FIRST_TIME_MS = 1_767_225_600_000;

const WORDS =
  'accepted request from client after retry connection closed by peer timeout while reading response header cache miss for user session token expired order payment shipped queue length above limit worker started stopped checkpoint saved'.split(
    ' ',
  );
/** Out of 16 records. */
const LEVELS = [...Array<string>(12).fill('INFO'), 'DEBUG', 'DEBUG', 'WARN', 'ERROR'].map((level) =>
  Buffer.from(`","level":"${level}","message":"`),
);
const HEX = Buffer.from('0123456789abcdef');
const N = Buffer.from('{"n":');
const ID = Buffer.from(',"id":"');
const TIME = Buffer.from('","time":"');
const TAIL = Buffer.from('"}');
/** `2026-01-01T00:00:00.`: what records of the same second share. */
const SECOND_CHARACTERS = 20;

/**
 * The values of generated records. A value depends on seed, size and number only, so whoever knows them can tell what record `n` has to be:
 * `{"n":…,"id":"16 hex digits","time":"…","level":"…","message":"…"}`. Ids of one seed differ up to 2^32 records.
 */
export class GeneratedValues {
  /** The last value that was written. */
  readonly bytes: Buffer;
  readonly #seed: number;
  /** Messages are cut out of it. Long enough for any cut, so that none has to wrap. */
  readonly #text: Buffer;
  readonly #second = Buffer.alloc(SECOND_CHARACTERS);
  #secondNumber = -1;

  constructor(options: { seed: number; size: number }) {
    this.bytes = Buffer.alloc(options.size);
    this.#seed = mix(options.seed);
    this.#text = createText(this.#seed, TEXT_BYTES + options.size);
  }

  /** Writes value `number` into `bytes`. */
  write(number: number): void {
    const { bytes } = this;
    const low = mix((number >>> 0) ^ this.#seed);
    const high = mix(low ^ Math.floor(number / 0x100000000) ^ 0x5bd1e995);
    let at = put(bytes, 0, N);
    at = putNumber(bytes, at, number);
    at = put(bytes, at, ID);
    at = putHex(bytes, at, low);
    at = putHex(bytes, at, high);
    at = put(bytes, at, TIME);
    at = this.#putTime(at, number);
    at = put(bytes, at, LEVELS[high & 15]!);
    const end = bytes.length - TAIL.length;
    const from = high >>> 16;
    this.#text.copy(bytes, at, from, from + end - at);
    put(bytes, end, TAIL);
  }

  #putTime(at: number, number: number): number {
    const second = Math.floor(number / 1000);
    if (second !== this.#secondNumber) {
      this.#secondNumber = second;
      this.#second.write(new Date(FIRST_TIME_MS + (second % 3_000_000_000) * 1000).toISOString());
    }
    at = put(this.bytes, at, this.#second);
    const millisecond = number - second * 1000;
    this.bytes[at++] = 0x30 + Math.floor(millisecond / 100);
    this.bytes[at++] = 0x30 + (Math.floor(millisecond / 10) % 10);
    this.bytes[at++] = 0x30 + (millisecond % 10);
    this.bytes[at++] = 0x5a;
    return at;
  }
}

/** Mixes 32 bits so that each depends on all, and no two inputs give the same (the finalizer of MurmurHash3). */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function createText(seed: number, bytes: number): Buffer {
  const words: string[] = [];
  let length = 0;
  for (let index = 1; length < bytes; index++) {
    const word = WORDS[mix(seed ^ index) % WORDS.length]!;
    words.push(word);
    length += word.length + 1;
  }
  return Buffer.from(words.join(' ').padEnd(bytes, '.')).subarray(0, bytes);
}

/** Returns the position after it, as the others do. A loop: for so few bytes it is quicker than a call of `copy`. */
function put(out: Buffer, at: number, piece: Buffer): number {
  for (let index = 0; index < piece.length; index++) out[at + index] = piece[index]!;
  return at + piece.length;
}

function putNumber(out: Buffer, at: number, number: number): number {
  let end = at + 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) end++;
  for (let index = end - 1; index >= at; index--) {
    const rest = Math.floor(number / 10);
    out[index] = 0x30 + (number - rest * 10);
    number = rest;
  }
  return end;
}

function putHex(out: Buffer, at: number, value: number): number {
  for (let shift = 28; shift >= 0; shift -= 4) out[at++] = HEX[(value >>> shift) & 15]!;
  return at;
}
