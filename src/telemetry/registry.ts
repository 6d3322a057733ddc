import { METRIC, type MetricDescription } from './catalogue.ts';
import { seriesKey, type Labels, type MetricsDelta } from './recorder.ts';

interface Total {
  readonly labels: Labels;
  value: number;
}

/** The totals of the hub, from what all workers sent. */
export class MetricsRegistry {
  readonly #byName = new Map<string, Map<string, Total>>(
    Object.values(METRIC).map(({ name }) => [name, new Map<string, Total>()]),
  );
  readonly #counters = new Set(
    Object.values(METRIC)
      .filter(({ kind }) => kind === 'counter')
      .map(({ name }): string => name),
  );

  /** Counters add up; a gauge takes the newest value. */
  apply(delta: MetricsDelta): void {
    for (const { name, labels, value } of delta) {
      const key = seriesKey(name, labels);
      const existing = this.#byName.get(name)?.get(key);
      if (existing === undefined) this.#byName.get(name)?.set(key, { labels, value });
      else existing.value = this.#counters.has(name) ? existing.value + value : value;
    }
  }

  /** Everything in Prometheus's text format 0.0.4. */
  text(): Promise<string> {
    const described = Object.values(METRIC).map((metric) => this.#describe(metric));
    return Promise.resolve(described.join(''));
  }

  #describe({ name, kind, help }: MetricDescription): string {
    const totals = [...this.#byName.get(name)!.values()];
    if (totals.length === 0) return '';
    const samples = totals.map(({ labels, value }) => `${name}${labelText(labels)} ${numberText(value)}\n`);
    return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${samples.join('')}`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
