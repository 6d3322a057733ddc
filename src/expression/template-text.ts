import { ExpressionFault } from './fault.ts';

/** A part of a template. `at` is where it begins in the template's text; an expression's text stands between the braces. */
export interface TemplatePart {
  readonly kind: 'literal' | 'expression';
  readonly text: string;
  readonly at: number;
}

/** Splits `text {{ expression }} text`. Braces and quotes inside an expression are CEL's. Throws an `ExpressionFault`. */
export function splitTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{{', at);
    const end = open < 0 ? template.length : open;
    if (end > at) parts.push({ kind: 'literal', text: template.slice(at, end), at });
    if (open < 0) break;
    const close = findClose(template, open);
    parts.push({ kind: 'expression', text: template.slice(open + 2, close), at: open + 2 });
    at = close + 2;
  }
  return parts;
}

/** Where the braces that close the expression begin. */
function findClose(template: string, open: number): number {
  let depth = 0;
  for (let at = open + 2; at < template.length; at++) {
    const character = template[at];
    if (character === '"' || character === "'") at = endOfString(template, at);
    else if (character === '{') depth++;
    else if (character === '}') {
      if (depth === 0 && template[at + 1] === '}') return at;
      depth--;
    }
  }
  throw new ExpressionFault('`{{` is not closed by `}}`', open);
}

/** The last character of a CEL string that begins with the quote at `start`. A backslash keeps a quote from closing it, in raw strings too. */
function endOfString(template: string, start: number): number {
  const quote = template[start]!;
  const delimiter = template.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  for (let at = start + delimiter.length; at < template.length; at++) {
    if (template[at] === '\\') at++;
    else if (template.startsWith(delimiter, at)) return at + delimiter.length - 1;
  }
  throw new ExpressionFault('a text in quotes is not closed', start);
}
