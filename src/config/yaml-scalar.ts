import type { Scalar } from 'yaml';

/** Where the character `at` of a scalar's text stands in the file. */
export function offsetInScalar(scalar: Scalar, text: string, at: number): number {
  const [start, end] = scalar.range ?? [0, 0, 0];
  if (scalar.type === 'QUOTE_SINGLE')
    return inQuotes(text, start + 1, end, at, (index) => (text[index] === "'" ? 2 : 1));
  if (scalar.type === 'QUOTE_DOUBLE') return inQuotes(text, start + 1, end, at, (index) => escapeLength(text, index));
  const value = typeof scalar.value === 'string' ? scalar.value : '';
  if (scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED') return inBlock(text, start, end, value, at);
  return Math.min(start + at, end);
}

function inQuotes(text: string, start: number, end: number, at: number, lengthAt: (index: number) => number): number {
  let offset = start;
  for (let left = at; left > 0 && offset < end; left--) offset += text[offset] === undefined ? 1 : lengthAt(offset);
  return Math.min(offset, end);
}

function escapeLength(text: string, index: number): number {
  if (text[index] !== '\\') return 1;
  return { x: 4, u: 6, U: 10 }[text[index + 1] ?? ''] ?? 2;
}

/** Line for line, each behind its indentation; folded lines are found by their number of line feeds only. */
function inBlock(text: string, start: number, end: number, value: string, at: number): number {
  const before = value.slice(0, at);
  let lineStart = text.indexOf('\n', start) + 1;
  for (const feed of before.matchAll(/\n/g)) {
    if (feed.index >= at) break;
    lineStart = text.indexOf('\n', lineStart) + 1;
  }
  const indentation = /^ */.exec(text.slice(text.indexOf('\n', start) + 1, end))?.[0].length ?? 0;
  return Math.min(lineStart + indentation + (at - (before.lastIndexOf('\n') + 1)), end);
}
