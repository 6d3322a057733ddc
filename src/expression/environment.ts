import { Environment } from '@marcbachmann/cel-js';
import { dayOfYear, formatTime } from './format-time.ts';

const TIMESTAMP = 'google.protobuf.Timestamp';
const SYNCHRONOUS = { async: false } as const;

/** An expression is a line or two; what is larger is a mistake, or an attack on the parser. */
const LIMITS = { maxAstNodes: 2000, maxDepth: 50, maxListElements: 1000, maxMapEntries: 100, maxCallArguments: 8 };

/**
 * Functions of CEL that this library computes in the machine's time zone, and what stands in for them. The compiler renames the calls.
 */
export const RENAMED: Readonly<Record<string, string>> = {
  timestamp: 'utcTimestamp',
  getDayOfYear: 'utcDayOfYear',
};

/** CEL with the variables of a record, `formatTime`, and numbers that mix as those of JSON do. */
export function createEnvironment(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
    .registerVariable('key', 'dyn')
    .registerVariable('value', 'dyn')
    .registerVariable('timestamp', TIMESTAMP)
    .registerVariable('headers', 'map')
    .registerVariable('topic', 'string')
    .registerVariable('partition', 'int')
    .registerVariable('offset', 'int');
  registerArithmetic(environment);
  registerTime(environment);
  return environment;
}

type Numeric = number | bigint;

const ARITHMETIC: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

/** JSON has one kind of number, which is CEL's double, while `1` is CEL's int: nobody should have to know. */
function registerArithmetic(environment: Environment): void {
  for (const [operator, compute] of Object.entries(ARITHMETIC)) {
    const mixed = (left: Numeric, right: Numeric): number => compute(Number(left), Number(right));
    environment.registerOperator(`double ${operator} int: double`, mixed);
    environment.registerOperator(`int ${operator} double: double`, mixed);
  }
  environment.registerOperator('double % double: double', ARITHMETIC['%']!);
}

function registerTime(environment: Environment): void {
  const register = (signature: string, handler: (...values: never[]) => unknown): void => {
    environment.registerFunction(signature, handler, SYNCHRONOUS);
  };
  register(`formatTime(${TIMESTAMP}, string): string`, formatTime);
  const formatMs = (ms: Numeric, pattern: string): string => formatTime(new Date(Number(ms)), pattern);
  register('formatTime(int, string): string', formatMs);
  register('formatTime(double, string): string', formatMs);
  const fromSeconds = (seconds: Numeric): Date => validDate(new Date(Number(seconds) * 1000));
  register(`utcTimestamp(string): ${TIMESTAMP}`, parseTimestamp);
  register(`utcTimestamp(int): ${TIMESTAMP}`, fromSeconds);
  register(`utcTimestamp(double): ${TIMESTAMP}`, fromSeconds);
  register(`${TIMESTAMP}.utcDayOfYear(): int`, (date: Date) => BigInt(dayOfYear(date)));
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function parseTimestamp(text: string): Date {
  // Without a zone it would be a time of wherever the hub runs.
  if (!RFC_3339.test(text)) throw new RangeError('timestamp() wants a text such as 2026-01-31T12:00:00Z');
  return validDate(new Date(text));
}

function validDate(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new RangeError('timestamp(): there is no such time');
  return date;
}
