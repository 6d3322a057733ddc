/** Times of a schedule, in UTC, to the minute. */
export interface Cron {
  /** The first of its times after `afterMs`, both in milliseconds since the epoch. */
  next(afterMs: number): number;
}

interface Field {
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
}

const FIELDS: readonly Field[] = [
  { name: 'minute', minimum: 0, maximum: 59 },
  { name: 'hour', minimum: 0, maximum: 23 },
  { name: 'day of the month', minimum: 1, maximum: 31 },
  { name: 'month', minimum: 1, maximum: 12 },
  { name: 'day of the week', minimum: 0, maximum: 7 },
];
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The 29th of February comes again after eight years at the latest. */
const MOST_DAYS = 9 * 366;

/**
 * The five fields of crontab: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday), each `*`, numbers, ranges and steps in a list:
 * `0,30 6-18/2 * * 1-5`. Where both days are given, either of them counts, as in crontab. Text: what is wrong with it.
 */
export function parseCron(text: string): Cron | string {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) return `it has ${parts.length} fields, not five: minute hour day month weekday`;
  const sets: ReadonlySet<number>[] = [];
  for (const [index, part] of parts.entries()) {
    const set = parseField(part, FIELDS[index]!);
    if (typeof set === 'string') return set;
    sets.push(set);
  }
  const [minutes, hours, days, months, weekdays] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const [, , day, , weekday] = parts as [string, string, string, string, string];
  const isDay = (date: Date): boolean => {
    const [byDay, byWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
    return day.startsWith('*') || weekday.startsWith('*') ? byDay && byWeekday : byDay || byWeekday;
  };
  const matches = (date: Date): boolean => months.has(date.getUTCMonth() + 1) && isDay(date);
  if (nextTime(0, { minutes, hours, matches }) === null) return 'no day is ever like that';
  return { next: (afterMs) => nextTime(afterMs, { minutes, hours, matches })! };
}

interface Times {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly matches: (date: Date) => boolean;
}

function nextTime(afterMs: number, { minutes, hours, matches }: Times): number | null {
  const earliest = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  const today = Math.floor(earliest / DAY_MS) * DAY_MS;
  for (let day = today; day < today + MOST_DAYS * DAY_MS; day += DAY_MS) {
    if (!matches(new Date(day))) continue;
    for (let hour = 0; hour < 24; hour++) {
      if (!hours.has(hour)) continue;
      for (let minute = 0; minute < 60; minute++) {
        const time = day + hour * HOUR_MS + minute * MINUTE_MS;
        if (minutes.has(minute) && time >= earliest) return time;
      }
    }
  }
  return null;
}

function parseField(text: string, field: Field): ReadonlySet<number> | string {
  const set = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return `"${part}" is no ${field.name}`;
    const [, star, first, last, step] = match;
    const from = star === undefined ? Number(first) : field.minimum;
    const to = star !== undefined || (last === undefined && step !== undefined) ? field.maximum : Number(last ?? first);
    if (from < field.minimum || to > field.maximum || from > to || step === '0' || step === '00')
      return `"${part}" is no ${field.name}: it goes from ${field.minimum} to ${field.maximum}`;
    for (let value = from; value <= to; value += Number(step ?? 1)) set.add(field.maximum === 7 ? value % 7 : value);
  }
  return set;
}
