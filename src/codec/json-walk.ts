import { afterScalar, afterString, skipSpace } from './json-tokens.ts';
import type { CodecLimits } from './limits.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const NOTHING = Buffer.alloc(0);
/** Some who look at decoded values tell kinds of objects by it. */
const FOREIGN_NAME = Buffer.from('constructor');

/** A member that is looked for, and where its value lies in the text that was walked last. */
export interface WantedMember {
  readonly name: Buffer;
  /** What is looked for in the object that it holds; null: all of it is wanted. */
  readonly below: readonly WantedMember[] | null;
  /** -1: it is not there. Those below mean nothing then, nor where this is no object. */
  start: number;
  end: number;
}

/**
 * Walks JSON texts quickly, and takes no more than a decoder with the same limits does. What it refuses may still be good: it never says why, and leaves to the
 * decoder what is unusual. That is, among the names in objects where members are looked for, one that comes twice, one with an escape, and `constructor`.
 */
export class JsonWalk {
  readonly #maxKeys: number;
  readonly #wanted: readonly WantedMember[] | null;
  /** Of every open array and object the closing byte, whose value it is, and what is looked for around it. */
  readonly #closers: Uint8Array;
  readonly #owners: (WantedMember | null)[];
  readonly #around: (readonly WantedMember[] | null)[];
  #bytes: Buffer = NOTHING;
  #words: DataView = new DataView(NOTHING.buffer);

  /** `wanted`: members of the object that the text is. */
  constructor(limits: CodecLimits, wanted: readonly WantedMember[] | null) {
    this.#maxKeys = limits.maxKeys;
    this.#wanted = wanted;
    this.#closers = new Uint8Array(limits.maxDepth);
    this.#owners = new Array<WantedMember | null>(limits.maxDepth).fill(null);
    this.#around = new Array<readonly WantedMember[] | null>(limits.maxDepth).fill(null);
  }

  /** The position after the one value that begins at `start`, white space before it allowed; -1 when it is not taken. `outerDepth` counts what is around the value. */
  walk(bytes: Buffer, start: number, end: number, outerDepth = 0): number {
    if (bytes !== this.#bytes) this.#use(bytes);
    const words = this.#words;
    const closers = this.#closers;
    const maxKeys = this.#maxKeys;
    let wanted: readonly WantedMember[] | null = null;
    let member: WantedMember | null = null;
    let depth = outerDepth;
    let names = 0;
    let needsName = false;
    let at = start;
    for (;;) {
      at = skipSpace(bytes, at, end);
      if (at >= end) return -1;
      if (needsName) {
        const nameAt = at + 1;
        if (bytes[at] !== QUOTE || ++names > maxKeys) return -1;
        at = afterString(bytes, words, nameAt, end, wanted === null);
        if (at < 0) return -1;
        if (wanted !== null) {
          if (is(FOREIGN_NAME, bytes, nameAt, at - 1)) return -1;
          member = memberNamed(wanted, bytes, nameAt, at - 1);
          if (member !== null && member.start >= 0) return -1;
        }
        at = skipSpace(bytes, at, end);
        if (bytes[at] !== COLON) return -1;
        at = skipSpace(bytes, at + 1, end);
      }
      const first = at;
      const byte = bytes[at]!;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (depth === closers.length) return -1;
        this.#around[depth] = wanted;
        this.#owners[depth] = member;
        wanted = byte === OPEN_BRACKET ? null : depth === outerDepth ? this.#wanted : (member?.below ?? null);
        if (wanted !== null) forget(wanted);
        if (member !== null) member.start = first;
        member = null;
        closers[depth++] = byte + 2;
        at = skipSpace(bytes, at + 1, end);
        if (bytes[at] !== byte + 2) {
          needsName = byte === OPEN_BRACE;
          continue;
        }
      } else {
        at = byte === QUOTE ? afterString(bytes, words, at + 1, end) : afterScalar(bytes, at, byte);
        if (at < 0) return -1;
        if (member !== null) {
          member.start = first;
          member.end = at;
          member = null;
        }
      }
      // Behind a value, or at the end of what holds none.
      for (;;) {
        if (depth === outerDepth) return at <= end ? at : -1;
        at = skipSpace(bytes, at, end);
        const next = bytes[at++]!;
        if (next === COMMA) break;
        if (next !== closers[--depth]) return -1;
        const owner = this.#owners[depth] ?? null;
        if (owner !== null) owner.end = at;
        wanted = this.#around[depth] ?? null;
      }
      needsName = closers[depth - 1] === CLOSE_BRACE;
    }
  }

  /** Keeps hold of no text. */
  forget(): void {
    this.#use(NOTHING);
  }

  #use(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

function forget(members: readonly WantedMember[]): void {
  for (const member of members) member.start = -1;
}

function memberNamed(
  members: readonly WantedMember[],
  bytes: Uint8Array,
  start: number,
  end: number,
): WantedMember | null {
  for (const member of members) if (is(member.name, bytes, start, end)) return member;
  return null;
}

function is(name: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let index = 0; index < name.length; index++) if (name[index] !== bytes[start + index]) return false;
  return true;
}
