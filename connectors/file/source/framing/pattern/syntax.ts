import {
  anyByte,
  complement,
  escapedSets,
  foldCase,
  isAscii,
  namedSets,
  setOf,
  union,
  type ByteSet,
} from './byte-set.ts';

/** A pattern that is none, or that could not be matched in linear time. The message is a sentence without its full stop. */
export class PatternProblem extends Error {}

export type Assertion = 'line_start' | 'line_end' | 'word_edge' | 'no_word_edge';

export type Syntax =
  | { readonly kind: 'bytes'; readonly set: ByteSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Syntax[] }
  | { readonly kind: 'repeat'; readonly part: Syntax; readonly least: number; readonly most: number };

const MAX_REPEATS = 1000;
const MAX_DEPTH = 50;
const NAMED_CHARACTERS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d, e: 0x1b };
const ASSERTIONS: Readonly<Record<string, Assertion>> = { b: 'word_edge', B: 'no_word_edge' };

/** Reads the part of regular expressions that a machine without memory can match. */
export function parsePattern(pattern: string): Syntax {
  const isFolded = pattern.startsWith('(?i)');
  const parser = new Parser(isFolded ? pattern.slice(4) : pattern, isFolded);
  return parser.parse();
}

class Parser {
  readonly #text: string;
  readonly #isFolded: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, isFolded: boolean) {
    this.#text = text;
    this.#isFolded = isFolded;
  }

  parse(): Syntax {
    const syntax = this.#choice();
    if (this.#at < this.#text.length) throw new PatternProblem('`)` closes nothing; write `\\)` for the character');
    return syntax;
  }

  #choice(): Syntax {
    if (++this.#depth > MAX_DEPTH) throw new PatternProblem(`is nested deeper than ${MAX_DEPTH} groups`);
    const parts = [this.#sequence()];
    while (this.#takes('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  #sequence(): Syntax {
    const parts: Syntax[] = [];
    while (this.#at < this.#text.length && !this.#sees('|') && !this.#sees(')'))
      parts.push(this.#repeated(this.#atom()));
    return { kind: 'sequence', parts };
  }

  #repeated(part: Syntax): Syntax {
    const counts = this.#counts();
    if (counts === null) return part;
    if (part.kind === 'assertion') throw new PatternProblem('nothing stands before a repetition');
    // Lazy or not, the line matches or it does not.
    this.#takes('?');
    if (this.#counts() !== null || this.#sees('+')) throw new PatternProblem('a repetition is repeated');
    return { kind: 'repeat', part, ...counts };
  }

  #counts(): { least: number; most: number } | null {
    if (this.#takes('*')) return { least: 0, most: Infinity };
    if (this.#takes('+')) return { least: 1, most: Infinity };
    if (this.#takes('?')) return { least: 0, most: 1 };
    const match = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#at));
    if (match === null) return null;
    this.#at += match[0].length;
    const least = Number(match[1]);
    const most = match[2] === undefined ? least : match[3] === '' ? Infinity : Number(match[3]);
    if (least > most) throw new PatternProblem(`\`${match[0]}\` is from more to less`);
    if (Math.max(least, most === Infinity ? 0 : most) > MAX_REPEATS)
      throw new PatternProblem(`\`${match[0]}\` repeats more than ${MAX_REPEATS} times`);
    return { least, most };
  }

  #atom(): Syntax {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#set();
      case '.':
        return { kind: 'bytes', set: anyByte };
      case '^':
        return { kind: 'assertion', assertion: 'line_start' };
      case '$':
        return { kind: 'assertion', assertion: 'line_end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new PatternProblem(`nothing stands before \`${character}\`; write \`\\${character}\` for the character`);
      default:
        return this.#character(character.codePointAt(0)!);
    }
  }

  #group(): Syntax {
    const opening = /^\?(?:<([=!])|<[A-Za-z_]\w*>|P<[A-Za-z_]\w*>|([^<P]))/.exec(this.#text.slice(this.#at));
    if (opening !== null) {
      const [all, behind, ahead] = opening;
      if (behind !== undefined || ahead === '=' || ahead === '!')
        throw new PatternProblem(
          'looks ahead or behind, which takes more than one pass; use `negate` or a second pattern',
        );
      if (ahead !== undefined && ahead !== ':') throw new PatternProblem('only `(?i)` at the beginning sets a flag');
      this.#at += all.length;
    }
    const inner = this.#choice();
    if (!this.#takes(')')) throw new PatternProblem('`(` is not closed; write `\\(` for the character');
    return inner;
  }

  #escape(): Syntax {
    if (this.#at === this.#text.length) throw new PatternProblem('ends with a backslash');
    const letter = this.#text[this.#at]!;
    if (Object.hasOwn(escapedSets, letter)) {
      this.#at++;
      return { kind: 'bytes', set: escapedSets[letter]! };
    }
    if (Object.hasOwn(ASSERTIONS, letter)) {
      this.#at++;
      return { kind: 'assertion', assertion: ASSERTIONS[letter]! };
    }
    return this.#character(this.#escapedCharacter());
  }

  #escapedCharacter(): number {
    const letter = this.#next();
    if (Object.hasOwn(NAMED_CHARACTERS, letter)) return NAMED_CHARACTERS[letter]!;
    const digits = letter === 'x' ? 2 : letter === 'u' ? 4 : 0;
    const hex = this.#text.slice(this.#at, this.#at + digits);
    if (digits > 0 && hex.length === digits && /^[\da-f]+$/i.test(hex)) {
      this.#at += digits;
      return parseInt(hex, 16);
    }
    if (/[1-9]/.test(letter)) throw new PatternProblem(`\`\\${letter}\` refers back, which takes more than one pass`);
    if (/[A-Za-z0-9]/.test(letter)) throw new PatternProblem(`\`\\${letter}\` has no meaning here`);
    return letter.codePointAt(0)!;
  }

  /** As UTF-8. */
  #character(code: number): Syntax {
    if (isAscii(code)) return { kind: 'bytes', set: this.#fold(setOf([code, code])) };
    const parts = [...Buffer.from(String.fromCodePoint(code))].map((byte): Syntax => ({
      kind: 'bytes',
      set: setOf([byte, byte]),
    }));
    return { kind: 'sequence', parts };
  }

  #set(): Syntax {
    const isNegated = this.#takes('^');
    const sets: ByteSet[] = [];
    for (let isFirst = true; isFirst || !this.#sees(']'); isFirst = false) {
      if (this.#at >= this.#text.length) throw new PatternProblem('`[` is not closed; write `\\[` for the character');
      sets.push(this.#member());
    }
    this.#at++;
    const set = this.#fold(union(sets));
    return { kind: 'bytes', set: isNegated ? complement(set) : set };
  }

  #member(): ByteSet {
    const named = /^\[:(\w+):\]/.exec(this.#text.slice(this.#at));
    if (named !== null) {
      const [all, name] = named;
      if (!Object.hasOwn(namedSets, name!)) throw new PatternProblem(`\`${all}\` is no class of characters`);
      this.#at += all.length;
      return namedSets[name!]!;
    }
    const letter = this.#text[this.#at + 1] ?? '';
    if (this.#sees('\\') && Object.hasOwn(escapedSets, letter)) {
      this.#at += 2;
      return escapedSets[letter]!;
    }
    const from = this.#memberCharacter();
    if (!this.#sees('-') || this.#text[this.#at + 1] === ']') return setOf([from, from]);
    this.#at++;
    const to = this.#memberCharacter();
    if (to < from) throw new PatternProblem('a range of characters is from more to less');
    return setOf([from, to]);
  }

  #memberCharacter(): number {
    const code = this.#takes('\\') ? this.#escapedCharacter() : this.#next().codePointAt(0)!;
    if (isAscii(code)) return code;
    const character = String.fromCodePoint(code);
    throw new PatternProblem(`\`${character}\` in brackets is not of ASCII; write \`(?:${character}|…)\``);
  }

  #fold(set: ByteSet): ByteSet {
    return this.#isFolded ? foldCase(set) : set;
  }

  #next(): string {
    if (this.#at >= this.#text.length) throw new PatternProblem('ends too soon');
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
    this.#at += character.length;
    return character;
  }

  #sees(character: string): boolean {
    return this.#text[this.#at] === character;
  }

  #takes(character: string): boolean {
    const sees = this.#sees(character);
    if (sees) this.#at++;
    return sees;
  }
}
