import { wordBytes } from './byte-set.ts';
import { assemble, type Program } from './program.ts';
import { parsePattern, PatternProblem, type Assertion } from './syntax.ts';

/** Behind the last byte of a line. */
const LINE_END = 256;
const SYMBOLS = 257;
/** Entries of a state's table that are no state. */
const UNKNOWN = -1;
const NEVER = -2;
const MATCH = -3;
/** When so many states are known, all are forgotten: memory stays bounded, and time linear. */
const MAX_STATES = 500;

const AT_START = 0;
const BEHIND_WORD = 1;
const BEHIND_OTHER = 2;

interface State {
  /** Indexes of steps, before assertions are looked at: they need the next byte. */
  readonly steps: readonly number[];
  readonly behind: number;
  /** What each symbol leads to. */
  readonly table: Int32Array;
}

/**
 * Does a line match? Every byte is looked at once, whatever the pattern: a machine of states that are found when they are first met. It works on bytes of UTF-8, so
 * that no line becomes a string; `.` and what is in brackets count bytes beyond ASCII one by one.
 */
export class LinePattern {
  readonly #program: Program;
  readonly #isAnchored: boolean;
  readonly #knowsWords: boolean;
  readonly #states: State[] = [];
  readonly #byKey = new Map<string, number>();

  /** Throws `PatternProblem`. */
  constructor(pattern: string) {
    this.#program = assemble(parsePattern(pattern));
    const { steps } = this.#program;
    this.#knowsWords = steps.some((step) => step.kind === 'assertion' && step.assertion.endsWith('word_edge'));
    this.#isAnchored = this.#beginsAtStartOnly();
    this.#begin();
  }

  /** A sentence without its full stop; null when it is a pattern. */
  static problemOf(pattern: string): string | null {
    try {
      new LinePattern(pattern);
      return null;
    } catch (error) {
      if (error instanceof PatternProblem) return error.message;
      throw error;
    }
  }

  /** Is it anywhere in [start, stop) of the bytes? */
  test(bytes: Uint8Array, start: number, stop: number): boolean {
    let state = 0;
    for (let at = start; at < stop; at++) {
      const byte = bytes[at]!;
      let next = this.#states[state]!.table[byte]!;
      if (next === UNKNOWN) next = this.#learn(state, byte);
      if (next < 0) return next === MATCH;
      state = next;
    }
    const last = this.#states[state]!.table[LINE_END]!;
    return (last === UNKNOWN ? this.#learn(state, LINE_END) : last) === MATCH;
  }

  #begin(): void {
    this.#states.length = 0;
    this.#byKey.clear();
    this.#intern([this.#program.first], AT_START);
  }

  #learn(from: number, symbol: number): number {
    const { steps, behind, table } = this.#states[from]!;
    const reached = this.#reach(steps, behind, symbol);
    const next = reached === null ? MATCH : this.#stateOf(reached, symbol);
    // The states may have been forgotten meanwhile.
    table[symbol] = this.#states[from]?.table === table ? next : UNKNOWN;
    return next;
  }

  #stateOf(reached: Set<number>, symbol: number): number {
    if (symbol === LINE_END) return NEVER;
    if (!this.#isAnchored) reached.add(this.#program.first);
    if (reached.size === 0) return NEVER;
    const isWord = this.#knowsWords && wordBytes[symbol] === 1;
    return this.#intern(
      [...reached].sort((one, other) => one - other),
      isWord ? BEHIND_WORD : BEHIND_OTHER,
    );
  }

  #intern(steps: readonly number[], behind: number): number {
    const key = `${behind}:${steps.join()}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#states.length >= MAX_STATES) this.#begin();
    const number = this.#states.push({ steps, behind, table: new Int32Array(SYMBOLS).fill(UNKNOWN) }) - 1;
    this.#byKey.set(key, number);
    return number;
  }

  /** The steps behind `symbol`; null when the end of the pattern is reached before it. */
  #reach(from: readonly number[], behind: number, symbol: number): Set<number> | null {
    const seen = new Set(from);
    const reached = new Set<number>();
    const holds = assertionsAt(behind, symbol);
    // A set that grows is gone through to its end.
    for (const index of seen) {
      const step = this.#program.steps[index]!;
      if (step.kind === 'match') return null;
      if (step.kind === 'fork') seen.add(step.next).add(step.other);
      else if (step.kind === 'assertion') {
        if (holds[step.assertion]) seen.add(step.next);
      } else if (symbol !== LINE_END && step.set[symbol] === 1) reached.add(step.next);
    }
    return reached;
  }

  #beginsAtStartOnly(): boolean {
    const seen = new Set([this.#program.first]);
    for (const index of seen) {
      const step = this.#program.steps[index]!;
      if (step.kind === 'fork') seen.add(step.next).add(step.other);
      else if (step.kind === 'assertion') {
        if (step.assertion !== 'line_start') seen.add(step.next);
      } else return false;
    }
    return true;
  }
}

function assertionsAt(behind: number, symbol: number): Record<Assertion, boolean> {
  const isEdge = (behind === BEHIND_WORD) !== (symbol !== LINE_END && wordBytes[symbol] === 1);
  return {
    line_start: behind === AT_START,
    line_end: symbol === LINE_END,
    word_edge: isEdge,
    no_word_edge: !isEdge,
  };
}
