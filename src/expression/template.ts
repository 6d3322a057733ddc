import { resolve } from 'node:path';
import type { DataRecord, Template } from '../api/index.ts';
import { compile, type Compiled } from './compile.ts';
import { confine, type Confined, type Confinement } from './confinement.ts';
import { failed, hasNoText, presentResult } from './expressions.ts';
import { ExpressionFault, orInvalid, problemOf, type TextProblem } from './fault.ts';
import { splitTemplate, type TemplatePart } from './template-text.ts';
import { kindOf, textOf } from './text-of.ts';

/** See `Template`. Throws `EXPRESSION_INVALID`, also for a template that nothing confines. */
export function compileTemplate(text: string, options: { confined: Confined; baseDir: string }): Template {
  return orInvalid(text, () => createTemplate(text, options));
}

/** What is wrong with a template's text; null when it compiles. */
export function checkTemplate(text: string, confined: Confined): TextProblem | null {
  return problemOf(() => createTemplate(text, { confined, baseDir: '/' }));
}

/** Does one of its expressions look into the record's value? Throws `EXPRESSION_INVALID`. */
export function templateReadsValue(text: string): boolean {
  return orInvalid(text, () =>
    splitTemplate(text).some((part) => part.kind === 'expression' && compilePart(part).reads.has('value')),
  );
}

function createTemplate(text: string, { confined, baseDir }: { confined: Confined; baseDir: string }): Template {
  const parts = splitTemplate(confined === 'path' ? text.replace(/(?<=.)\/+$/, '') : text);
  if (parts.every(({ kind }) => kind === 'literal')) {
    const constant = confined === 'path' ? resolve(baseDir, text) : text;
    return { constant, prefix: constant, render: () => constant };
  }
  const pieces = parts.map((part) => (part.kind === 'literal' ? part.text : compilePart(part)));
  const confinement = confine(parts, confined, baseDir);
  if (typeof pieces[0] === 'string') pieces[0] = confinement.start;
  return { constant: null, prefix: confinement.prefix, render: renderer(pieces, confinement) };
}

function compilePart({ text, at }: TemplatePart): Compiled {
  try {
    const compiled = compile(text);
    if (hasNoText(compiled.type)) throw new ExpressionFault(`it must give a text or a number, not ${compiled.type}`, 0);
    return compiled;
  } catch (error) {
    throw error instanceof ExpressionFault ? error.movedBy(at) : error;
  }
}

function renderer(pieces: readonly (string | Compiled)[], confinement: Confinement): Template['render'] {
  const render = recordRenderer(pieces, confinement);
  const isTimed = pieces.every((piece) => typeof piece === 'string' || [...piece.reads].every(isTimestamp));
  if (!isTimed) return render;
  return timedRenderer(
    render,
    Math.min(...pieces.map((piece) => (typeof piece === 'string' ? Infinity : piece.stepMs))),
  );
}

/** By nothing but the time, which neighbours mostly have in common as far as it shows, whole batches are rendered without an object per record. */
function timedRenderer(render: Template['render'], stepMs: number): Template['render'] {
  let rendered: string | null = null;
  let step = 0;
  return (batch, index) => {
    const own = Math.floor(batch.timestamp(index) / stepMs);
    if (rendered !== null && own === step) return rendered;
    rendered = null;
    const fresh = render(batch, index);
    step = own;
    return (rendered = fresh);
  };
}

function isTimestamp(name: string): boolean {
  return name === 'timestamp';
}

function recordRenderer(pieces: readonly (string | Compiled)[], confinement: Confinement): Template['render'] {
  // Records that follow each other mostly go to the same place.
  let lastGood = '';
  return (batch, index) => {
    const record = batch.record(index);
    let rendered = '';
    for (const piece of pieces) rendered += typeof piece === 'string' ? piece : renderPiece(piece, record, confinement);
    if (rendered !== lastGood) {
      confinement.checkWhole(rendered);
      lastGood = rendered;
    }
    return rendered;
  };
}

function renderPiece(compiled: Compiled, record: DataRecord, confinement: Confinement): string {
  const result = presentResult(compiled, record);
  const text = textOf(result);
  if (text === null) throw failed(compiled.text, `the result is ${kindOf(result)}, which has no text`);
  confinement.checkPiece(text);
  return text;
}
