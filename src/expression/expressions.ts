import { SluiceError, type DataRecord, type Expression } from '../api/index.ts';
import { JsonFields, type Decoding } from '../codec/index.ts';
import { compile, MissingField, type Compiled } from './compile.ts';
import { ExpressionFault, orInvalid, problemOf, quoted, type TextProblem } from './fault.ts';
import { PartialRecord, type ViewCondition } from './partial-record.ts';
import { kindOf, textOf } from './text-of.ts';

/** What an expression is for: its result must fit. */
export type ExpressionUse = 'condition' | 'key' | 'any';

/** `where`: a missing field makes it false; any other failure throws `EXPRESSION_FAILED`, or what the decoder threw. Throws `EXPRESSION_INVALID`. */
export function compileCondition(text: string): (record: DataRecord) => boolean {
  const compiled = orInvalid(text, () => compileFor(text, 'condition'));
  return (record) => holds(compiled, record);
}

/** As `compileCondition`, over stored records whose values are decoded so. Where fields of JSON are all that it looks at, nothing else is decoded. */
export function compileViewCondition(text: string, decode: Decoding): ViewCondition {
  const compiled = orInvalid(text, () => compileFor(text, 'condition'));
  const { fields } = compiled;
  if (decode !== 'json' || fields === null || fields.length === 0) {
    return (view, index) => holds(compiled, view.record(index));
  }
  const record = new PartialRecord(new JsonFields(fields));
  return (view, index) => {
    record.use(view, index);
    try {
      return holds(compiled, record);
    } catch (error) {
      if (!record.isPartial) throw error;
      // What it fails with may tell of the whole value.
      return holds(compiled, view.record(index));
    }
  };
}

/** A key's bytes: text in UTF-8, numbers in decimal. A missing field and null make a null key. Throws `EXPRESSION_INVALID`. */
export function compileKey(text: string): (record: DataRecord) => Uint8Array | null {
  const compiled = orInvalid(text, () => compileFor(text, 'key'));
  return (record) => {
    const result = compiled.evaluate(record);
    if (result === null || result instanceof MissingField) return null;
    if (result instanceof Uint8Array) return result;
    const key = textOf(result);
    if (key === null) throw failed(text, `the result is ${kindOf(result)}, which makes no key`);
    return Buffer.from(key);
  };
}

/** Evaluates to CEL's values: int is a bigint, double a number, timestamp a Date. A missing field throws `EXPRESSION_FAILED`. Throws `EXPRESSION_INVALID`. */
export function compileExpression(text: string): Expression {
  const compiled = orInvalid(text, () => compile(text));
  return { evaluate: (record) => presentResult(compiled, record) };
}

/** The result; throws `EXPRESSION_FAILED` for a missing field. */
export function presentResult(compiled: Compiled, record: DataRecord): unknown {
  const result = compiled.evaluate(record);
  if (result instanceof MissingField) throw failed(compiled.text, result.reason);
  return result;
}

/** What is wrong with an expression's text; null when it compiles. */
export function checkExpression(text: string, use: ExpressionUse = 'any'): TextProblem | null {
  return problemOf(() => compileFor(text, use));
}

/** Does it look into the record's value, so that the value must be decoded? Throws `EXPRESSION_INVALID`. */
export function readsValue(text: string): boolean {
  return orInvalid(text, () => compile(text)).reads.has('value');
}

export function failed(text: string, reason: string): SluiceError {
  return new SluiceError('EXPRESSION_FAILED', `evaluating ${quoted(text)}: ${reason}`);
}

function holds(compiled: Compiled, record: DataRecord): boolean {
  const result = compiled.evaluate(record);
  if (typeof result === 'boolean') return result;
  if (result instanceof MissingField) return false;
  throw failed(compiled.text, `the result is ${kindOf(result)}, not true or false`);
}

function compileFor(text: string, use: ExpressionUse): Compiled {
  const compiled = compile(text);
  if (use === 'condition' && compiled.type !== 'bool' && compiled.type !== 'dyn') {
    throw new ExpressionFault(`it must be true or false, this gives ${compiled.type}`, 0);
  }
  if (use === 'key') checkKey(compiled);
  return compiled;
}

function checkKey({ type, reads, text }: Compiled): void {
  if (hasNoText(type)) throw new ExpressionFault(`a key is a text or a number, this gives ${type}`, 0);
  for (const name of ['offset', 'partition']) {
    // The partition follows from the key.
    if (reads.has(name))
      throw new ExpressionFault(`a record has no ${name} yet when its key is made`, text.indexOf(name));
  }
}

export function hasNoText(type: string): boolean {
  return /^(list|map|type|google\.protobuf\.Duration)/.test(type);
}
