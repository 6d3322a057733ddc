import { LinePattern } from '../pattern/line-pattern.ts';
import { NEXT_EVENT, type EventRules } from './event-rules.ts';

/** By the state that an event is in: what the next line of it may look like, and the state that this leads to. The first that matches counts. */
export type TraceStates = Readonly<Record<string, readonly (readonly [line: string, next: string])[]>>;

interface Way {
  readonly line: LinePattern;
  readonly next: number;
}

/** Events by a table of states: `begin` has the first lines that are more than a line, any other first line leads to `line`. */
export class TraceRules implements EventRules {
  readonly #ways: readonly (readonly Way[])[];
  readonly #begin: number;
  readonly #line: number;

  constructor(states: TraceStates) {
    const names = Object.keys(states);
    this.#ways = Object.values(states).map((ways) =>
      ways.map(([line, next]) => ({ line: new LinePattern(line), next: names.indexOf(next) })),
    );
    this.#begin = names.indexOf('begin');
    this.#line = names.indexOf('line');
  }

  begin(bytes: Uint8Array, start: number, stop: number): number {
    const state = this.next(this.#begin, bytes, start, stop);
    return state === NEXT_EVENT ? this.#line : state;
  }

  next(state: number, bytes: Uint8Array, start: number, stop: number): number {
    for (const { line, next } of this.#ways[state]!) if (line.test(bytes, start, stop)) return next;
    return NEXT_EVENT;
  }

  isLast(state: number): boolean {
    return this.#ways[state]!.length === 0;
  }
}
