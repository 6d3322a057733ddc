import type { ByteSet } from './byte-set.ts';
import { PatternProblem, type Assertion, type Syntax } from './syntax.ts';

const MAX_STEPS = 4000;

/** What a machine does at one place; `next` is the index of the step behind it. */
type Step =
  | { readonly kind: 'bytes'; readonly set: ByteSet; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: 'fork'; readonly next: number; readonly other: number }
  | { readonly kind: 'match' };

export interface Program {
  readonly steps: readonly Step[];
  readonly first: number;
}

/** Thompson's construction, from the end to the beginning, so that each step knows what follows. */
export function assemble(syntax: Syntax): Program {
  const steps: Step[] = [{ kind: 'match' }];
  const first = new Assembler(steps).before(syntax, 0);
  return { steps, first };
}

class Assembler {
  readonly #steps: Step[];

  constructor(steps: Step[]) {
    this.#steps = steps;
  }

  /** The index of the step at which `syntax` begins, when `next` follows it. */
  before(syntax: Syntax, next: number): number {
    switch (syntax.kind) {
      case 'bytes':
        return this.#add({ kind: 'bytes', set: syntax.set, next });
      case 'assertion':
        return this.#add({ kind: 'assertion', assertion: syntax.assertion, next });
      case 'sequence':
        return syntax.parts.reduceRight((behind, part) => this.before(part, behind), next);
      case 'choice':
        return syntax.parts
          .map((part) => this.before(part, next))
          .reduceRight((other, one) => this.#add({ kind: 'fork', next: one, other }));
      case 'repeat':
        return this.#repeat(syntax, next);
    }
  }

  #repeat({ part, least, most }: Extract<Syntax, { kind: 'repeat' }>, next: number): number {
    let first = next;
    if (most === Infinity) first = this.#loop(part, next);
    else for (let count = least; count < most; count++) first = this.#maybe(part, first, next);
    for (let count = 0; count < least; count++) first = this.before(part, first);
    return first;
  }

  #loop(part: Syntax, next: number): number {
    const fork = this.#add({ kind: 'fork', next, other: next });
    this.#steps[fork] = { kind: 'fork', next, other: this.before(part, fork) };
    return fork;
  }

  #maybe(part: Syntax, behind: number, next: number): number {
    return this.#add({ kind: 'fork', next: this.before(part, behind), other: next });
  }

  #add(step: Step): number {
    if (this.#steps.length >= MAX_STEPS)
      throw new PatternProblem(`is too large: its repetitions make more than ${MAX_STEPS} steps`);
    return this.#steps.push(step) - 1;
  }
}
