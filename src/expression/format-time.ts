type Part = (date: Date) => string;

/** What `formatTime` knows, all in UTC. Other letters stand in single quotes: `yyyy-MM-dd'T'HH`; two quotes make one. */
const FIELDS: Readonly<Record<string, Part>> = {
  yyyy: (date) => digits(date.getUTCFullYear(), 4),
  MM: (date) => digits(date.getUTCMonth() + 1, 2),
  dd: (date) => digits(date.getUTCDate(), 2),
  DDD: (date) => digits(dayOfYear(date) + 1, 3),
  HH: (date) => digits(date.getUTCHours(), 2),
  mm: (date) => digits(date.getUTCMinutes(), 2),
  ss: (date) => digits(date.getUTCSeconds(), 2),
  SSS: (date) => digits(date.getUTCMilliseconds(), 3),
};

const TOKEN = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/gy;
const MAX_KNOWN_PATTERNS = 100;
const known = new Map<string, readonly Part[]>();

/** Throws a `RangeError` for an unknown pattern or a time that no calendar has. */
export function formatTime(date: Date, pattern: string): string {
  if (Number.isNaN(date.getTime())) throw new RangeError('formatTime: the time is out of range');
  let parts = known.get(pattern);
  if (parts === undefined) {
    parts = parseTimePattern(pattern);
    // Patterns may come from records.
    if (known.size >= MAX_KNOWN_PATTERNS) known.clear();
    known.set(pattern, parts);
  }
  let text = '';
  for (const part of parts) text += part(date);
  return text;
}

export function parseTimePattern(pattern: string): readonly Part[] {
  return Array.from(pattern.matchAll(TOKEN), ([token, quotedText, letter]) => {
    const field = Object.hasOwn(FIELDS, token) ? FIELDS[token] : undefined;
    if (field !== undefined) return field;
    if (letter !== undefined) {
      const some = Object.keys(FIELDS).join(', ');
      throw new RangeError(`formatTime does not know '${token}': it has ${some}; other letters stand in single quotes`);
    }
    if (token === "'") throw new RangeError('formatTime: a single quote in the pattern is not closed');
    const text = quotedText === undefined ? token : quotedText.replaceAll("''", "'") || "'";
    return () => text;
  });
}

/** So many milliseconds long, counted from 1970, a pattern gives the same text; a minute at the most. */
export function stepMs(pattern: string): number {
  const tokens = new Set(Array.from(pattern.matchAll(TOKEN), ([token]) => token));
  if (tokens.has('SSS')) return 1;
  return tokens.has('ss') ? 1000 : 60_000;
}

/** From 0. */
export function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start) / 86_400_000);
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
