import { EvaluationError, type ASTNode, type Environment, type ParseResult } from '@marcbachmann/cel-js';
import { SluiceError, type DataRecord } from '../api/index.ts';
import { Bindings, shieldConstructors } from './bindings.ts';
import { Meter, meterMacros } from './cost.ts';
import { createEnvironment, RENAMED } from './environment.ts';
import { ExpressionFault, quoted } from './fault.ts';
import { fieldPaths, type FieldPath } from './field-paths.ts';
import { stepMs } from './format-time.ts';
import { explainFailure, faultOf } from './messages.ts';
import { refuseNode } from './refusals.ts';
import { everyNode } from './walk.ts';

const MAX_CHARACTERS = 4096;
const MISSING_CODES = new Set(['no_such_key', 'index_out_of_bounds']);

/** What an expression gives when a field that it reads is not there. */
export class MissingField {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export interface Compiled {
  readonly text: string;
  /** CEL's name of the result's type; `dyn` when only the record tells. */
  readonly type: string;
  /** The variables that it looks at. */
  readonly reads: ReadonlySet<string>;
  /** Of one that looks at the time alone: so many milliseconds long, counted from 1970, it gives the same. */
  readonly stepMs: number;
  /** See `fieldPaths`. */
  readonly fields: readonly FieldPath[] | null;
  /** CEL's values: int is a bigint, double a number. Throws `EXPRESSION_FAILED`, or what the record's decoder threw. */
  evaluate(record: DataRecord): unknown;
}

let environment: Environment | null = null;

/** Throws an `ExpressionFault`. */
export function compile(text: string): Compiled {
  if (text.trim() === '') throw new ExpressionFault('an expression is missing', 0);
  if (text.length > MAX_CHARACTERS) {
    throw new ExpressionFault(`an expression has at most ${MAX_CHARACTERS} characters`, MAX_CHARACTERS);
  }
  environment ??= createEnvironment();
  try {
    return prepare(text, environment.parse(text));
  } catch (error) {
    throw faultOf(error);
  }
}

function prepare(text: string, parsed: ParseResult): Compiled {
  const reads = new Set<string>();
  const fields = fieldPaths(parsed.ast);
  const step = stepOf(parsed.ast);
  for (const node of everyNode(parsed.ast)) {
    refuseNode(node);
    rename(node);
    if (node.op === 'id') reads.add(node.args);
  }
  const { type, error } = parsed.check();
  if (error !== undefined) throw error;
  const meter = new Meter();
  meterMacros(parsed.ast, meter);
  return { text, type: type ?? 'dyn', reads, stepMs: step, fields, evaluate: evaluator(text, parsed, meter) };
}

/** More than a millisecond only for the time in one constant pattern. */
function stepOf(node: ASTNode): number {
  if (node.op !== 'call' || node.args[0] !== 'formatTime') return 1;
  const [time, pattern] = node.args[1];
  const isPlain = time?.op === 'id' && pattern?.op === 'value' && typeof pattern.args === 'string';
  return isPlain ? stepMs(pattern.args) : 1;
}

function rename(node: ASTNode): void {
  if (node.op !== 'call' && node.op !== 'rcall') return;
  const name = node.args[0];
  if (Object.hasOwn(RENAMED, name)) node.args[0] = RENAMED[name]!;
}

function evaluator(text: string, parsed: ParseResult, meter: Meter): Compiled['evaluate'] {
  let bindings: Bindings | null = null;
  return (record) => {
    bindings ??= new Bindings(record);
    bindings.record = record;
    meter.reset();
    try {
      return parsed(bindings) as unknown;
    } catch (error) {
      if (isMissing(error)) return new MissingField(error.summary);
      if (error instanceof SluiceError) throw error;
      return again(text, parsed, { bindings, meter, error });
    }
  };
}

/** A second try, with the value shielded, where data could have confused the library. */
function again(
  text: string,
  parsed: ParseResult,
  { bindings, meter, error }: { bindings: Bindings; meter: Meter; error: unknown },
): unknown {
  try {
    const { value } = bindings.record;
    const shielded = shieldConstructors(value);
    if (shielded === value) throw error;
    bindings.shielded = shielded;
    meter.reset();
    return parsed(bindings) as unknown;
  } catch (second) {
    if (isMissing(second)) return new MissingField(second.summary);
    throw new SluiceError('EXPRESSION_FAILED', `evaluating ${quoted(text)}: ${explainFailure(second)}`);
  } finally {
    bindings.shielded = undefined;
  }
}

function isMissing(error: unknown): error is EvaluationError {
  return error instanceof EvaluationError && MISSING_CODES.has(error.code);
}
