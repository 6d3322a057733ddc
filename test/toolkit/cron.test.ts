import { parseCron } from '../../src/toolkit/index.ts';

const next = (text: string, after: string): string => {
  const cron = parseCron(text);
  if (typeof cron === 'string') throw new Error(cron);
  return new Date(cron.next(Date.parse(after))).toISOString();
};

test.each([
  ['*/15 * * * *', '2026-11-28T07:15:00Z', '2026-11-28T07:30:00.000Z'],
  ['0 6-18/4 * * *', '2026-11-28T14:00:00Z', '2026-11-28T18:00:00.000Z'],
  ['0 6-18/4 * * *', '2026-11-28T18:00:00Z', '2026-11-29T06:00:00.000Z'],
  ['30 2 1 * *', '2026-11-28T07:00:00Z', '2026-12-01T02:30:00.000Z'],
  ['0 0 29 2 *', '2026-11-28T07:00:00Z', '2028-02-29T00:00:00.000Z'],
  ['0 0 * * 7', '2026-11-28T07:00:00Z', '2026-11-29T00:00:00.000Z'],
  ['0 0 13 * 5', '2026-11-01T00:00:00Z', '2026-11-06T00:00:00.000Z'],
  ['59 23 31 12 *', '2026-12-31T23:59:30Z', '2027-12-31T23:59:00.000Z'],
])('%s after %s is %s', (text, after, time) => {
  expect(next(text, after)).toBe(time);
});

test.each([
  ['* * * *', 'fields'],
  ['60 * * * *', 'minute'],
  ['* 24 * * *', 'hour'],
  ['* * 0 * *', 'day of the month'],
  ['* * * 13 *', 'month'],
  ['* * * * 8', 'day of the week'],
  ['5-1 * * * *', 'minute'],
  ['*/0 * * * *', 'minute'],
  ['a * * * *', 'minute'],
  ['0 0 31 2 *', 'no day'],
])('%s is refused for its %s', (text, what) => {
  expect(parseCron(text)).toEqual(expect.stringContaining(what));
});
