import type { Metrics } from '../api/index.ts';
import { findMetric } from './catalogue.ts';

export type Labels = Readonly<Record<string, string>>;

interface MetricSample {
  readonly name: string;
  readonly labels: Labels;
  /** What was added since the last drain for a counter, the newest value for a gauge. */
  readonly value: number;
}

/** What changed since the last drain. Plain data: workers send it to the main thread. */
export type MetricsDelta = readonly MetricSample[];

/** Label values may come from records: a metric keeps no more series than this, the first ones. */
const MAX_SERIES_PER_METRIC = 1000;

interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly isCounter: boolean;
  value: number;
  hasChanged: boolean;
}

/** Counts in memory until somebody drains it. Names that are not in the catalogue count nothing. */
export class MetricsRecorder implements Metrics {
  readonly #series = new Map<string, Series>();
  readonly #seriesOf = new Map<string, number>();
  readonly #unbound = this.bind({});

  count(name: string, amount: number, labels?: Labels): void {
    this.#unbound.count(name, amount, labels);
  }

  gauge(name: string, value: number, labels?: Labels): void {
    this.#unbound.gauge(name, value, labels);
  }

  /** The same recorder with labels that every sample gets. */
  bind(bound: Labels): Metrics {
    // Most calls bring no labels of their own: their series are found by the name alone.
    const known = new Map<string, Series | null>();
    const find = (name: string, labels?: Labels): Series | null => {
      if (labels !== undefined) return this.#find(name, { ...bound, ...labels });
      let series = known.get(name);
      if (series === undefined) known.set(name, (series = this.#find(name, bound)));
      return series;
    };
    return {
      count: (name, amount, labels) => {
        const series = find(name, labels);
        if (series === null) return;
        series.value += amount;
        series.hasChanged = true;
      },
      gauge: (name, value, labels) => {
        const series = find(name, labels);
        if (series === null || series.value === value) return;
        series.value = value;
        series.hasChanged = true;
      },
    };
  }

  drain(): MetricsDelta {
    const delta: MetricSample[] = [];
    for (const series of this.#series.values()) {
      if (!series.hasChanged) continue;
      delta.push({ name: series.name, labels: series.labels, value: series.value });
      series.hasChanged = false;
      if (series.isCounter) series.value = 0;
    }
    return delta;
  }

  #find(name: string, labels: Labels): Series | null {
    const description = findMetric(name);
    if (description === undefined) return null;
    const key = seriesKey(name, labels);
    const existing = this.#series.get(key);
    if (existing !== undefined) return existing;
    const siblings = this.#seriesOf.get(name) ?? 0;
    if (siblings >= MAX_SERIES_PER_METRIC) return null;
    this.#seriesOf.set(name, siblings + 1);
    const isCounter = description.kind === 'counter';
    const series: Series = { name, labels, isCounter, value: isCounter ? 0 : NaN, hasChanged: false };
    this.#series.set(key, series);
    return series;
  }
}

/** The same for the same labels in any order. */
export function seriesKey(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, pairs]);
}
