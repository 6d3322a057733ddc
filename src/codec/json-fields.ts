import { skipSpace } from './json-tokens.ts';
import { JsonWalk, type WantedMember } from './json-walk.ts';
import { defaultCodecLimits, type CodecLimits } from './limits.ts';

const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const NOT_ASCII = 0x80;

/** Longer texts, and numbers with more digits, are left to the native functions. */
const SHORT_TEXT_BYTES = 48;
const FEW_DIGITS = 9;

interface Field extends WantedMember {
  readonly text: string;
  readonly below: Field[] | null;
}

/** Reads from JSON objects only what stands at fixed paths, and makes an object of no more than that: most of a decoder's time goes into members that nobody asks for. */
export class JsonFields {
  readonly #fields: readonly Field[];
  readonly #walk: JsonWalk;

  /** `paths`: names from the outermost object inwards, one at least in each, none of them `__proto__`. */
  constructor(paths: readonly (readonly string[])[], limits: CodecLimits = defaultCodecLimits) {
    this.#fields = fieldsOf(paths);
    this.#walk = new JsonWalk(limits, this.#fields);
  }

  /**
   * What a decoder with the same limits makes of `bytes[start, end)`, but for members that stand on none of the paths: they may be missing. Null: a decoder has to
   * say what this is, or whether it is JSON at all.
   */
  read(bytes: Buffer, start: number, end: number): object | null {
    const first = skipSpace(bytes, start, end);
    if (first >= end || bytes[first] !== OPEN_BRACE) return null;
    const after = this.#walk.walk(bytes, first, end);
    return after >= 0 && skipSpace(bytes, after, end) === end ? objectOf(this.#fields, bytes) : null;
  }
}

function fieldsOf(paths: readonly (readonly string[])[]): Field[] {
  const below = new Map<string, (readonly string[])[]>();
  for (const [name, ...rest] of paths) {
    const others = below.get(name!);
    if (others === undefined) below.set(name!, [rest]);
    else others.push(rest);
  }
  return [...below].map(([text, inner]) => ({
    text,
    name: Buffer.from(text),
    below: inner.some((path) => path.length === 0) ? null : fieldsOf(inner),
    start: -1,
    end: -1,
  }));
}

function objectOf(fields: readonly Field[], bytes: Buffer): object {
  const members: Record<string, unknown> = {};
  for (const field of fields) if (field.start >= 0) members[field.text] = valueOf(field, bytes);
  return members;
}

function valueOf({ below, start, end }: Field, bytes: Buffer): unknown {
  switch (bytes[start]) {
    case OPEN_BRACE:
      return below === null ? parse(bytes, start, end) : objectOf(below, bytes);
    case OPEN_BRACKET:
      return parse(bytes, start, end);
    case QUOTE:
      return textOf(bytes, start, end);
    case 0x74: // t
      return true;
    case 0x66: // f
      return false;
    case 0x6e: // n
      return null;
    default:
      return numberOf(bytes, start, end);
  }
}

/** With its quotes. */
function textOf(bytes: Buffer, start: number, end: number): string {
  if (end - start > SHORT_TEXT_BYTES) return parse(bytes, start, end) as string;
  for (let at = start + 1; at < end - 1; at++) {
    if (bytes[at]! >= NOT_ASCII || bytes[at] === BACKSLASH) return parse(bytes, start, end) as string;
  }
  return bytes.toString('latin1', start + 1, end - 1);
}

function numberOf(bytes: Buffer, start: number, end: number): number {
  if (end - start > FEW_DIGITS) return parse(bytes, start, end) as number;
  let number = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return parse(bytes, start, end) as number;
    number = number * 10 + (byte - ZERO);
  }
  return number;
}

function parse(bytes: Buffer, start: number, end: number): unknown {
  return JSON.parse(bytes.toString('utf8', start, end));
}
