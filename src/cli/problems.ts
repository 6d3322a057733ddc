import { relative } from 'node:path';
import type { Problem } from '../config/index.ts';
import type { CliIo } from './io.ts';
import { printable } from './printable.ts';

/** All problems, a line each: place, code, message. */
export function problemLines(problems: readonly Problem[], { cwd }: Pick<CliIo, 'cwd'>): readonly string[] {
  const rows = problems.map(({ file, line, column, code, message, severity }) => ({
    place: `${relative(cwd, file)}:${line}:${column}`,
    code,
    message: printable(severity === 'warning' ? `warning: ${message}` : message),
  }));
  const places = Math.max(...rows.map(({ place }) => place.length));
  const codes = Math.max(...rows.map(({ code }) => code.length));
  return rows.map(({ place, code, message }) => `${place.padEnd(places)}   ${code.padEnd(codes)}   ${message}`);
}

/** For commands that have other things to say. */
export function printProblems(problems: readonly Problem[], io: Pick<CliIo, 'stderr' | 'cwd'>): void {
  for (const line of problemLines(problems, io)) io.stderr.write(`${line}\n`);
}
