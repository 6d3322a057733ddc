import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf } from './walk.ts';

/** Steps that one evaluation may take in macros: well below a second, whatever the record holds. */
const MAX_STEPS = 1_000_000;
/** So many characters are searched or copied in the time of a step. */
const CHARACTERS_PER_STEP_BITS = 6;

/** What one evaluation has taken so far. */
export class Meter {
  #steps = 0;

  reset(): void {
    this.#steps = 0;
  }

  charge(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS) throw new RangeError('it takes too many steps for this record');
  }
}

type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/** What the library's nodes have beyond its declarations. A test holds that nested macros over long lists are cut off. */
interface EvaluableNode {
  readonly meta: { readonly evaluate: Evaluate };
  setMeta(key: 'evaluate', value: Evaluate): void;
}

const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const DEEP_OPERATORS = new Set(['==', '!=', 'in']);

/**
 * Makes what stands inside a macro (`exists`, `map` and so on) charge the meter for each evaluation and for the size of its result, so that macros in macros and
 * searches in macros stay bounded. All else does its work once. To be called after the type check, which still changes nodes.
 */
export function meterMacros(node: ASTNode, meter: Meter): void {
  const isMacro = node.op === 'rcall' && MACROS.has(node.args[0]);
  if (!isMacro) {
    for (const child of childrenOf(node)) meterMacros(child, meter);
    return;
  }
  const [, receiver, bodies] = node.args;
  meterMacros(receiver, meter);
  for (const body of bodies) meterNode(body, meter, false);
}

function meterNode(node: ASTNode, meter: Meter, isCompared: boolean): void {
  const evaluable = node as unknown as EvaluableNode;
  const { evaluate } = evaluable.meta;
  evaluable.setMeta('evaluate', (evaluator, self, context) => {
    const result = evaluate(evaluator, self, context);
    meter.charge(isCompared ? deepSize(result) : flatSize(result));
    return result;
  });
  for (const child of childrenOf(node)) meterNode(child, meter, DEEP_OPERATORS.has(node.op));
}

function flatSize(result: unknown): number {
  if (typeof result === 'string') return 1 + (result.length >> CHARACTERS_PER_STEP_BITS);
  if (Array.isArray(result)) return 1 + result.length;
  if (result instanceof Uint8Array) return 1 + (result.length >> CHARACTERS_PER_STEP_BITS);
  return 1;
}

function deepSize(result: unknown): number {
  if (typeof result !== 'object' || result === null || result instanceof Uint8Array) return flatSize(result);
  let size = 1;
  const members: readonly unknown[] = result instanceof Map ? [...result.values()] : Object.values(result);
  for (const member of members) size += deepSize(member);
  return size;
}
