import { RangeCloser, shareOut } from '../../../src/pipeline/jobs/close-range.ts';
import { FastClock } from '../support/clock.ts';

const range = (partition: number, from: number, to: number): { partition: number; from: number; to: number } => ({
  partition,
  from,
  to,
});

test('small partitions go whole, the rest is shared by the large ones', () => {
  expect(shareOut([range(0, 0, 1000), range(1, 5, 15), range(2, 0, 1000)], 101)).toEqual([
    range(0, 0, 45),
    range(1, 5, 15),
    range(2, 0, 46),
  ]);
});

test('nothing is lost by the division', () => {
  for (const most of [1, 2, 3, 7, 100, 1000]) {
    const shares = shareOut([range(0, 0, 50), range(1, 0, 1), range(2, 0, 9), range(3, 4, 4)], most);
    expect(shares.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(Math.min(most, 60));
  }
});

test('at a time of the schedule everything that waits is due, in as many batches as it takes', () => {
  const clock = new FastClock(0);
  const closer = new RangeCloser({ maxRecords: 1000, maxAgeMs: null, cron: '0 * * * *' }, clock);
  const most = new RangeCloser({ maxRecords: 10, maxAgeMs: null, cron: '0 * * * *' }, clock);
  expect(closer.close([range(0, 0, 9)], false)).toBeNull();
  clock.skip(3_600_000);
  expect(closer.close([range(0, 0, 9)], false)).toEqual([range(0, 0, 9)]);
  // What came after it waits for the next.
  expect(closer.close([range(0, 9, 12)], false)).toBeNull();
  expect(most.close([range(0, 0, 15)], false)).toEqual([range(0, 0, 10)]);
  expect(most.close([range(0, 10, 15)], false)).toEqual([range(0, 10, 15)]);
});

test('a time of the schedule at which nothing waits is over', () => {
  const clock = new FastClock(0);
  const closer = new RangeCloser({ maxRecords: 1000, maxAgeMs: null, cron: '0 * * * *' }, clock);
  clock.skip(3_600_000);
  expect(closer.close([range(0, 0, 0)], false)).toBeNull();
  expect(closer.close([range(0, 0, 5)], false)).toBeNull();
});
