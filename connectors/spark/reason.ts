import { stripVTControlCharacters } from 'node:util';

const MAX_REASON = 300;
/** `com.acme.Boom: no such table`, `ValueError: boom`, `SystemExit: 3`. */
const EXCEPTION = /^(?:[\w$]+\.)*[\w$]*(?:Exception|Error|Exit|Interrupt)\b(?::.*)?$/;

/**
 * Why a driver failed, from what it wrote: the exception of a Python traceback, else what Python says of its arguments, else the cause of the deepest Java exception, else the last error that was logged. Null when
 * nothing tells. Python's output comes on either stream.
 */
export function reasonIn(...outputs: readonly string[]): string | null {
  const lines = outputs.flatMap((output) => stripVTControlCharacters(output).split(/\r?\n/));
  const found = pythonReason(lines) ?? usageReason(lines) ?? javaReason(lines) ?? loggedReason(lines);
  return found === null ? null : shorten(found);
}

/** One line, of a length that a status has room for. */
export function shorten(text: string): string {
  const line = stripVTControlCharacters(text).split(/\r?\n/, 1)[0]!.trim();
  return line.length <= MAX_REASON ? line : `${line.slice(0, MAX_REASON - 1)}…`;
}

function pythonReason(lines: readonly string[]): string | null {
  const start = lines.findLastIndex((line) => line.startsWith('Traceback (most recent call last):'));
  if (start < 0) return null;
  const thrown = lines.findIndex((line, at) => at > start && EXCEPTION.test(line));
  if (thrown < 0) return null;
  // What Java threw stands below, with its causes.
  const [, java] = /^: (.*)$/.exec(lines[thrown + 1] ?? '') ?? [];
  return java === undefined ? lines[thrown]! : (javaReason(lines.slice(thrown)) ?? java);
}

/** Python's own parser of arguments ends a program without an exception. */
function usageReason(lines: readonly string[]): string | null {
  return lines.findLast((line) => /^[\w.-]+\.py: error: ./.test(line)) ?? null;
}

/** The causes of one exception stand one below the other, the deepest last. */
function javaReason(lines: readonly string[]): string | null {
  const cause = lines.findLast((line) => line.startsWith('Caused by: '));
  if (cause !== undefined) return cause.slice('Caused by: '.length);
  const thrown = lines.findLast((line) => line.startsWith('Exception in thread '));
  return thrown === undefined ? null : thrown.replace(/^Exception in thread "[^"]*" /, '');
}

function loggedReason(lines: readonly string[]): string | null {
  const logged = lines.findLast((line) => /\b(?:ERROR|FATAL)\b/.test(line));
  if (logged !== undefined) return logged.replace(/^.*?\b(?:ERROR|FATAL)\b\s*/, '');
  const last = lines.findLast((line) => /^(?:Error|Exception)\b/.test(line));
  return last ?? null;
}
