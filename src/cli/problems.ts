import { relative } from 'node:path';
import type { Problem } from '../config/index.ts';
import type { CliIo } from './io.ts';

/** All problems, a line each: place, code, message. */
export function printProblems(problems: readonly Problem[], io: Pick<CliIo, 'stderr' | 'cwd'>): void {
  const rows = problems.map(({ file, line, column, code, message, severity }) => ({
    place: `${relative(io.cwd, file)}:${line}:${column}`,
    code,
    message: severity === 'warning' ? `warning: ${message}` : message,
  }));
  const [places, codes] = [
    Math.max(...rows.map(({ place }) => place.length)),
    Math.max(...rows.map((row) => row.code.length)),
  ];
  for (const { place, code, message } of rows)
    io.stderr.write(`${place.padEnd(places)}   ${code.padEnd(codes)}   ${message}\n`);
}
