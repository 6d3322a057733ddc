import { retryAfterMs } from '../../src/toolkit/index.ts';

const clock = { now: () => Date.UTC(2026, 0, 1) };

test.each([
  ['3', 3000],
  ['0', 0],
  ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['soon', undefined],
  ['-1e9x', undefined],
  ['99999999999999', undefined],
  [null, undefined],
])('%s is %s ms', (header, expected) => {
  expect(retryAfterMs(header, clock)).toBe(expected);
});
