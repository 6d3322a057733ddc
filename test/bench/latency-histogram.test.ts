import { LatencyHistogram } from '../../bench/latency-histogram.ts';

test('quantiles are the upper ends of tenths of a millisecond', () => {
  const histogram = new LatencyHistogram();
  for (let number = 1; number <= 100; number++) histogram.add(number * 1000 - 1);
  expect(histogram.summary()).toEqual({ count: 100, p50: 50_000, p99: 99_000, max: 99_999 });
});

test('without any it is zero, and what is too late for its steps counts in the last', () => {
  const histogram = new LatencyHistogram();
  expect(histogram.summary()).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
  histogram.add(60_000_000);
  expect(histogram.summary()).toEqual({ count: 1, p50: 10_000_000, p99: 10_000_000, max: 60_000_000 });
});
