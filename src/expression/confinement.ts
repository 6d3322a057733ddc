import { isAbsolute, join, normalize, resolve } from 'node:path';
import { SluiceError } from '../api/index.ts';
import { ExpressionFault, quoted } from './fault.ts';
import type { TemplatePart } from './template-text.ts';

export type Confined = 'path' | 'name' | 'none';

/** What renderings begin with, and what keeps them there. `check…` throw `TEMPLATE_ESCAPED`. */
export interface Confinement {
  /** As `Template.prefix`. */
  readonly prefix: string;
  /** What a rendering begins with instead of the template's first literal part. */
  readonly start: string;
  checkPiece(text: string): void;
  checkWhole(rendered: string): void;
}

const MAX_NAME_BYTES = 255;
const MAX_PATH_CHARACTERS = 2048;

/** Controls, formats such as the right-to-left override, lone surrogates, line separators, and what other programs read as a separator or an escape. */
const HOSTILE_IN_PATH = /[\p{C}\p{Zl}\p{Zp}\\%]/u;
const NAME = /^[A-Za-z0-9._-]*$/;

/** For a template with an expression in it. Throws an `ExpressionFault` when nothing confines it. */
export function confine(parts: readonly TemplatePart[], confined: Confined, baseDir: string): Confinement {
  const [first] = parts;
  const literal = first?.kind === 'literal' ? first.text : '';
  if (confined === 'path') return confineToFolder(parts, literal, baseDir);
  if (confined === 'name') return confineName(literal);
  return { prefix: literal, start: literal, checkPiece: () => undefined, checkWhole: () => undefined };
}

function confineName(literal: string): Confinement {
  if (!/[A-Za-z0-9]/.test(literal)) {
    const message = 'it must start with a literal prefix such as `logs-`, so that records cannot choose any name';
    throw new ExpressionFault(message, 0, 'unconfined');
  }
  return {
    prefix: literal,
    start: literal,
    checkPiece(text) {
      if (!NAME.test(text)) throw escaped(`names take letters, digits, ".", "_" and "-", not ${quoted(text)}`);
    },
    checkWhole(rendered) {
      if (Buffer.byteLength(rendered) > MAX_NAME_BYTES) throw escaped(`${quoted(rendered)} is too long for a name`);
    },
  };
}

function confineToFolder(parts: readonly TemplatePart[], literal: string, baseDir: string): Confinement {
  const end = literal.lastIndexOf('/');
  const folders = normalize(end < 0 ? '.' : literal.slice(0, end + 1)).replace(/(?<=.)\/$/, '');
  if (/(^|\/)\.{1,2}$/.test(folders) || folders === '/') {
    const message = 'it must start with a literal folder such as `out/`, so that records cannot choose any path';
    throw new ExpressionFault(message, 0, 'unconfined');
  }
  const prefix = isAbsolute(folders) ? folders : resolve(baseDir, folders);
  checkLiterals(parts, literal.slice(end + 1));
  const from = prefix.length + 1;
  return {
    prefix,
    start: join(prefix, '/', literal.slice(end + 1)),
    checkPiece(text) {
      if (HOSTILE_IN_PATH.test(text)) throw escaped(`${quoted(text)} has characters that paths may not have`);
    },
    checkWhole(rendered) {
      if (!isBelow(rendered.slice(from))) throw escaped(`${quoted(rendered)} is no proper path below "${prefix}"`);
    },
  };
}

/** What no record could make right is found before the first record. */
function checkLiterals(parts: readonly TemplatePart[], start: string): void {
  const sample = parts
    .map(({ kind, text }, index) => (kind === 'expression' ? 'x' : index === 0 ? start : text))
    .join('');
  if (!isBelow(sample)) {
    throw new ExpressionFault('the parts of a path may not be empty, and not begin with a dot', parts.at(-1)!.at);
  }
}

/** Hidden parts are refused with the rest: sinks keep their own state in such. */
function isBelow(path: string): boolean {
  if (path.length > MAX_PATH_CHARACTERS) return false;
  return path
    .split('/')
    .every((part) => part !== '' && !part.startsWith('.') && Buffer.byteLength(part) <= MAX_NAME_BYTES);
}

function escaped(reason: string): SluiceError {
  return new SluiceError('TEMPLATE_ESCAPED', `rendering a template: ${reason}`);
}
