import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { RENAMED } from './environment.ts';
import { ExpressionFault } from './fault.ts';

const VARIABLES = 'key, value, timestamp, headers, topic, partition and offset';

/** What the library found wrong with a text, as we say it. */
export function faultOf(error: unknown): ExpressionFault {
  if (error instanceof ExpressionFault) return error;
  if (!isCelError(error)) return new ExpressionFault(`it does not compile: ${String(error)}`, 0);
  return new ExpressionFault(explainFault(error), error.range?.start ?? 0);
}

function explainFault(error: CelError): string {
  const summary = plain(error.summary);
  const unknown = /^Unknown variable: (.+)$/.exec(summary)?.[1];
  if (unknown !== undefined) {
    return `there is no variable \`${unknown}\`: a record has ${VARIABLES}; did you mean \`value.${unknown}\`?`;
  }
  if (error.code === 'no_such_overload' && summary.includes('timestamp')) {
    return `${summary}; write a time as timestamp("2026-01-31T12:00:00Z")`;
  }
  return summary;
}

/** Why an evaluation failed, without the library's drawing of the place. */
export function explainFailure(error: unknown): string {
  if (isCelError(error)) return plain(error.summary);
  return error instanceof Error ? plain(error.message) : String(error);
}

function plain(summary: string): string {
  let text = summary
    .replaceAll(/dyn<([\w.]+)>/g, '$1')
    .replaceAll('google.protobuf.Timestamp', 'timestamp')
    .replaceAll('google.protobuf.Duration', 'duration')
    .replace(/^no such overload: (.*)$/, '`$1` is not possible')
    .replace(/^found no matching overload for '(.*)'$/, 'there is no function `$1`')
    .replace(/, got EOF$|^Unexpected token: EOF$/, (found) =>
      found.startsWith(',') ? ', but it ends' : 'it ends too early',
    );
  for (const [name, renamed] of Object.entries(RENAMED)) text = text.replaceAll(renamed, name);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

type CelError = ParseError | CelTypeError | EvaluationError;

function isCelError(error: unknown): error is CelError {
  return error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError;
}
