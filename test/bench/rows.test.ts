import { median, rowOf } from '../../bench/rows.ts';
import type { Measurement } from '../../bench/stage.ts';

const name = { path: 'file-kafka', system: 'sluice', codec: 'lz4' };

function measured(cpuSecondsPerMillion: number, recordsPerSecond: number, more?: Record<string, number>): Measurement {
  const rest = { startupCpuSeconds: 0.5, peakRssMegabytes: 199.6, ...(more === undefined ? {} : { more }) };
  return { cpuSecondsPerMillion, recordsPerSecond, ...rest };
}

test('of an even count the median lies between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('a row holds the median of each figure by itself, and the spread', () => {
  const row = rowOf(name, [measured(1, 300), measured(3, 100), measured(2, 200)]);
  expect(row).toEqual({
    ...name,
    records_per_second: 200,
    cpu_seconds_per_million: 2,
    startup_cpu_seconds: 0.5,
    peak_rss_mb: 200,
    runs: 3,
    cpu_spread: [1, 3],
    more: {},
  });
});

test('what only a path measures has its median, too', () => {
  const runs = [5, 7, 6].map((latency) => measured(1, 1, { latency_p99_ms: latency }));
  expect(rowOf(name, runs).more).toEqual({ latency_p99_ms: 6 });
});
