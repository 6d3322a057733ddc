import { LinePattern } from '../pattern/line-pattern.ts';
import { NEXT_EVENT, type EventRules } from './event-rules.ts';

const OPEN = 0;
const ENDED = 1;

export interface EventPatterns {
  readonly start?: string | undefined;
  readonly continue?: string | undefined;
  readonly end?: string | undefined;
  /** Lines count that do not match. */
  readonly negate: boolean;
}

/** Events by what their first, their following or their last lines look like. */
export class PatternRules implements EventRules {
  readonly #start: LinePattern | null;
  readonly #continue: LinePattern | null;
  readonly #end: LinePattern | null;
  readonly #wanted: boolean;

  constructor(patterns: EventPatterns) {
    this.#start = patterns.start === undefined ? null : new LinePattern(patterns.start);
    this.#continue = patterns.continue === undefined ? null : new LinePattern(patterns.continue);
    this.#end = patterns.end === undefined ? null : new LinePattern(patterns.end);
    this.#wanted = !patterns.negate;
  }

  begin(bytes: Uint8Array, start: number, stop: number): number {
    return this.#end !== null && this.#end.test(bytes, start, stop) === this.#wanted ? ENDED : OPEN;
  }

  next(_state: number, bytes: Uint8Array, start: number, stop: number): number {
    if (this.#start !== null && this.#start.test(bytes, start, stop) === this.#wanted) return NEXT_EVENT;
    if (this.#continue !== null && this.#continue.test(bytes, start, stop) !== this.#wanted) return NEXT_EVENT;
    return this.begin(bytes, start, stop);
  }

  isLast(state: number): boolean {
    return state === ENDED;
  }
}
