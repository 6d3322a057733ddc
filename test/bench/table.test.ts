import { chartSvg } from '../../bench/chart.ts';
import type { Report, Row } from '../../bench/rows.ts';
import { tableMarkdown, tableText } from '../../bench/table.ts';

const figures = { startup_cpu_seconds: 0.9, peak_rss_mb: 200, runs: 5, cpu_spread: [0.9, 1.1] as const, more: {} };
const rows: readonly Row[] = [
  {
    path: 'file-kafka',
    system: 'sluice',
    codec: 'lz4',
    records_per_second: 808_000,
    cpu_seconds_per_million: 0.92,
    ...figures,
  },
  {
    path: 'file-kafka',
    system: 'kcat',
    codec: 'lz4',
    records_per_second: 700_000,
    cpu_seconds_per_million: 1.5,
    ...figures,
  },
  {
    path: 'idle',
    system: 'sluice, 500 pipelines',
    codec: 'none',
    records_per_second: 0,
    cpu_seconds_per_million: 0,
    ...figures,
  },
];
const report: Report = {
  rows,
  missing: [
    { path: 'file-kafka', system: 'rsyslog', reason: 'not installed' },
    { path: 'file-file', system: 'rsyslog', reason: 'not installed' },
  ],
  failed: [{ path: 'file-kafka', system: 'kafkajs', reason: 'ended with 1' }],
};

test('who has no row is named with the reason', () => {
  const text = tableText(report);
  expect(text).toContain('missing on file-kafka, file-file: rsyslog: not installed');
  expect(text).toContain('FAILED on file-kafka: kafkajs: ended with 1');
  expect(text.split('\n')[1]).toMatch(/^file-kafka +sluice +lz4 +0\.92 +808,000 +0\.90 +200 +0\.90-1\.10$/);
});

test('in Markdown numbers stand on the right', () => {
  const [head, rule, first] = tableMarkdown(report).split('\n');
  expect(head!.split('|')).toHaveLength(rule!.split('|').length);
  expect(rule).toMatch(/^\| --- \| --- \| --- \| --: \|/);
  expect(first).toContain('| 808,000 |');
});

test('the chart has a bar for each system of a path where several were measured', () => {
  const svg = chartSvg(rows);
  expect(svg.match(/<rect x=/g)).toHaveLength(2);
  expect(svg).toContain('>kcat</text>');
  expect(svg).not.toContain('500 pipelines');
});
