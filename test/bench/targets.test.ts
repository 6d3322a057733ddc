import type { Row } from '../../bench/rows.ts';
import { verdictsText } from '../../bench/table.ts';
import { targets } from '../../bench/targets.ts';
import { judge } from '../../bench/verdicts.ts';

function row(path: string, system: string, codec: string, figures: Partial<Row>): Row {
  return {
    path,
    system,
    codec,
    records_per_second: 1000,
    cpu_seconds_per_million: 1,
    startup_cpu_seconds: 0,
    peak_rss_mb: 100,
    runs: 1,
    cpu_spread: [1, 1],
    more: {},
    ...figures,
  };
}

function verdictOf(rows: readonly Row[], what: string, limitText: string): ReturnType<typeof judge>[number] {
  return judge(rows).find(({ target }) => target.what === what && target.limitText === limitText)!;
}

const kcat = row('file-kafka', 'kcat', 'lz4', { cpu_seconds_per_million: 1.3 });

test('a limit is computed from the rows of the same run', () => {
  const verdict = (cpu: number): string =>
    verdictOf(
      [row('file-kafka', 'sluice', 'lz4', { cpu_seconds_per_million: cpu }), kcat],
      'file → Kafka lz4',
      'K / 1.3',
    ).word;
  expect(verdict(0.99)).toBe('met');
  expect(verdict(1.01)).toBe('NOT MET');
});

test('of rates the measured one has to be the larger', () => {
  const verdict = (rate: number): string =>
    verdictOf(
      [row('file-kafka', 'sluice', 'lz4', { records_per_second: rate }), kcat],
      'file → Kafka lz4',
      '0.9 × kcat',
    ).word;
  expect(verdict(901)).toBe('met');
  expect(verdict(899)).toBe('NOT MET');
});

test('a peer is known by its name without its version', () => {
  const rows = [
    row('file-kafka', 'sluice', 'lz4', {}),
    row('file-kafka', 'kafkajs 2.2.4', 'lz4', { cpu_seconds_per_million: 9 }),
  ];
  expect(verdictOf(rows, 'file → Kafka lz4', 'kafkajs / 8')).toMatchObject({ word: 'met', limit: 9 / 8 });
});

test('what a condition costs is the difference of two rows', () => {
  const rows = [
    kcat,
    row('where', 'sluice', 'lz4', { cpu_seconds_per_million: 2 }),
    row('where', 'sluice, where', 'lz4', { cpu_seconds_per_million: 3.5 }),
  ];
  expect(verdictOf(rows, '`where` on one JSON field, on top', '1.5 K')).toMatchObject({ word: 'met', figure: 1.5 });
});

test('without a row that it needs a target is not judged, and says which is missing', () => {
  const verdicts = judge([kcat]);
  expect(verdicts).toHaveLength(targets.length);
  expect(verdictOf([kcat], 'file → Kafka lz4', 'K / 1.3')).toMatchObject({
    word: 'not judged',
    why: 'no row of sluice on file-kafka (lz4)',
  });
});

test('the table aligns its columns and ends no line with spaces', () => {
  const lines = verdictsText(judge([row('file-kafka', 'sluice', 'lz4', {}), kcat])).split('\n');
  expect(lines).toHaveLength(targets.length + 1);
  expect(lines.filter((line) => line.endsWith(' '))).toEqual([]);
  expect(lines[1]).toContain('≤ 1.00  CPU-s/M');
});
