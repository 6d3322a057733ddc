import type { OptionProblem } from 'sluice/api';
import { reservedHeader } from 'sluice/toolkit';
import type { FramingOptions } from './settings.ts';
import { PathFields } from './path-fields.ts';
import { LinePattern } from './pattern/line-pattern.ts';

const PATTERNS = ['start', 'continue', 'end'] as const;

/** What the schema cannot say. */
export function findProblems(options: FramingOptions): readonly OptionProblem[] {
  return [...pathFieldProblems(options), ...multilineProblems(options)];
}

function pathFieldProblems({ path_fields }: FramingOptions): readonly OptionProblem[] {
  // A reference is not resolved yet.
  if (path_fields === undefined || path_fields.includes('${')) return [];
  const problem = PathFields.problemOf(path_fields);
  if (problem !== null) return [{ path: ['path_fields'], message: problem }];
  const reserved = new PathFields(path_fields).names.map(reservedHeader).filter((each) => each !== null);
  return reserved.map((message) => ({ path: ['path_fields'], message }));
}

function multilineProblems({ multiline, framing }: FramingOptions): readonly OptionProblem[] {
  if (multiline === undefined) return [];
  const given = PATTERNS.filter((name) => multiline[name] !== undefined);
  const problems: OptionProblem[] = [];
  const say = (name: string | null, message: string): void => {
    problems.push({ path: name === null ? ['multiline'] : ['multiline', name], message });
  };
  if (framing !== 'lines') say(null, 'is about lines; leave it out or write `framing: lines`');
  if (multiline.preset === undefined && given.length === 0) say(null, 'set `preset`, `start`, `continue` or `end`');
  if (multiline.preset !== undefined && given.length > 0)
    say('preset', `excludes \`${given[0]}\`: it is a set of patterns of its own`);
  if (multiline.negate && given.length !== 1)
    say('negate', 'is about one pattern; with none or several nobody knows which');
  for (const name of given) {
    const pattern = multiline[name]!;
    const problem = pattern.includes('${') ? null : LinePattern.problemOf(pattern);
    if (problem !== null) say(name, `\`${pattern}\` ${problem}`);
  }
  return problems;
}
