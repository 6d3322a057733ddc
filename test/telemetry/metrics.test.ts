import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { METRIC, MetricsRecorder, MetricsRegistry } from '../../src/telemetry/index.ts';

test('counters of several workers add up, gauges keep the newest value', async () => {
  const [one, other] = [new MetricsRecorder(), new MetricsRecorder()];
  const registry = new MetricsRegistry();
  for (const recorder of [one, other]) recorder.bind({ pipeline: 'p', sink: 's' }).count(METRIC.sinkRecords.name, 5);
  one.gauge(METRIC.sinkLag.name, 7, { pipeline: 'p', sink: 's' });
  for (const recorder of [one, other]) registry.apply(structuredClone(recorder.drain()));
  one.gauge(METRIC.sinkLag.name, 2, { sink: 's', pipeline: 'p' });
  one.bind({ sink: 's', pipeline: 'p' }).count(METRIC.sinkRecords.name, 1);
  registry.apply(one.drain());
  const lines = (await registry.text()).split('\n');
  expect(lines).toContain('sluice_sink_records_total{pipeline="p",sink="s"} 11');
  expect(lines).toContain('sluice_sink_lag_records{pipeline="p",sink="s"} 2');
  expect(lines).toContain('# TYPE sluice_sink_records_total counter');
});

test('a drain sends only what changed', () => {
  const recorder = new MetricsRecorder();
  const bound = recorder.bind({ pipeline: 'p' });
  bound.count(METRIC.pipelineRestarts.name, 2);
  expect(recorder.drain()).toEqual([{ name: METRIC.pipelineRestarts.name, labels: { pipeline: 'p' }, value: 2 }]);
  expect(recorder.drain()).toEqual([]);
  bound.gauge(METRIC.sinkLag.name, 0);
  bound.gauge(METRIC.sinkLag.name, 0);
  expect(recorder.drain()).toHaveLength(1);
  bound.gauge(METRIC.sinkLag.name, 0);
  expect(recorder.drain()).toEqual([]);
});

test('label values from outside neither break the format nor grow without end', async () => {
  const recorder = new MetricsRecorder();
  for (let n = 0; n < 5000; n++) recorder.count(METRIC.sinkRecords.name, 1, { sink: `s${n}` });
  expect(recorder.drain()).toHaveLength(1000);
  const registry = new MetricsRegistry();
  const hostile = new MetricsRecorder();
  hostile.gauge(METRIC.sinkLag.name, 1, { sink: 'a"} 1\nforged 2\\' });
  registry.apply(hostile.drain());
  expect((await registry.text()).split('\n')).toContain('sluice_sink_lag_records{sink="a\\"} 1\\nforged 2\\\\"} 1');
});

test('names that are not in the catalogue count nothing', () => {
  const recorder = new MetricsRecorder();
  recorder.count('sluice_invented_total', 1);
  expect(recorder.drain()).toEqual([]);
});

test('the code uses only names of the catalogue, and a name says kind and unit', async () => {
  const root = join(import.meta.dirname, '..', '..');
  const used = new Set<string>();
  for (const folder of ['src', 'connectors']) {
    const files = (await readdir(join(root, folder), { recursive: true })).filter((name) => name.endsWith('.ts'));
    for (const file of files)
      for (const [name] of (await readFile(join(root, folder, file), 'utf8')).matchAll(/(?<=')sluice_[a-z_]+(?=')/g))
        used.add(name);
  }
  expect([...used].sort()).toEqual(expect.arrayContaining(['sluice_source_records_total']));
  const known = Object.values(METRIC).map(({ name }): string => name);
  expect([...used].filter((name) => !known.includes(name))).toEqual([]);
  expect(new Set(known).size).toBe(known.length);
  for (const { name, kind, unit, help } of Object.values(METRIC)) {
    expect({ name, total: name.endsWith('_total') }).toEqual({ name, total: kind === 'counter' });
    if (unit === 'bytes' || unit === 'seconds') expect(name).toMatch(new RegExp(`_${unit}(_total)?$`));
    expect(help).toMatch(/\.$/);
  }
});
