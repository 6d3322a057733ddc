import { inspect } from 'node:util';
import { describeError, type Clock, type Logger } from '../api/index.ts';
import { realClock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export type LogValue = string | number | boolean | null;

/** One line of the log. Plain data: workers send it to the main thread, which writes it. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, LogValue>>;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly destination: { write(line: string): unknown };
  /** For a terminal: colours, and the time of day where one stands. Otherwise ISO times. */
  readonly pretty: boolean;
  /** A JSON object a line instead of text. */
  readonly json?: boolean;
  readonly clock?: Pick<Clock, 'now'>;
}

export function createLogger({ level, destination, pretty, json = false, clock = realClock }: LoggerOptions): Logger {
  const format = json ? formatJson : pretty ? formatPretty : formatPlain;
  return createEntryLogger({ level, clock, write: (entry) => destination.write(format(entry)) });
}

/** A logger whose entries go anywhere. */
export function createEntryLogger(
  options: { readonly level: LogLevel; readonly clock: Pick<Clock, 'now'>; readonly write: (entry: LogEntry) => void },
  bound: Readonly<Record<string, LogValue>> = {},
): Logger {
  const { clock, write } = options;
  const lowest = LOG_LEVELS.indexOf(options.level);
  const at = (level: LogLevel): Logger['info'] =>
    LOG_LEVELS.indexOf(level) < lowest
      ? () => undefined
      : (fields, message) => {
          write({ level, time: clock.now(), message, fields: { ...bound, ...plainFields(fields) } });
        };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createEntryLogger(options, { ...bound, ...plainFields(fields) }),
  };
}

/** Writes an entry that another thread made. */
export function logEntry(log: Logger, { level, fields, message }: LogEntry): void {
  log[level](fields, message);
}

function plainFields(fields: object): Record<string, LogValue> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): LogValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (typeof value === 'object' && 'message' in value) return describeError(value);
  return inspect(value, { depth: 3, breakLength: Infinity });
}

function formatJson({ level, time, message, fields }: LogEntry): string {
  return `${JSON.stringify({ time: new Date(time).toISOString(), level, message, ...fields })}\n`;
}

function formatPlain(entry: LogEntry): string {
  return `${new Date(entry.time).toISOString()} ${lineOf(entry)}\n`;
}

const COLOURS: Readonly<Record<LogLevel, string>> = { debug: '\x1b[2m', info: '', warn: '\x1b[33m', error: '\x1b[31m' };

function formatPretty(entry: LogEntry): string {
  const time = new Date(entry.time).toTimeString().slice(0, 8);
  const colour = COLOURS[entry.level];
  return `\x1b[2m${time}\x1b[0m ${colour}${lineOf(entry)}${colour === '' ? '' : '\x1b[0m'}\n`;
}

/** `WARN  sink unavailable, retrying   pipeline=a attempt=3 cause="connecting: refused"` */
function lineOf({ level, message, fields }: LogEntry): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  const label = level.toUpperCase().padEnd(5);
  return pairs.length === 0 ? `${label} ${message}` : `${label} ${message.padEnd(32)} ${pairs.join(' ')}`;
}

// A field may hold what a client sent: quoted, it can neither end the line nor move a terminal's cursor.
function fieldText(value: LogValue): string {
  const text = String(value);
  if (/^[\w.,:/@+()-]+$/.test(text)) return text;
  return JSON.stringify(text).replace(/[\x7f-\x9f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
