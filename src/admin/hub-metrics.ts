import type { HubStatus, SupervisedState } from '../supervisor/index.ts';
import { METRIC, type Labels, type MetricsDelta, type MetricsRegistry } from '../telemetry/index.ts';

const STATES: readonly SupervisedState[] = [
  'starting',
  'running',
  'degraded',
  'backing_off',
  'paused',
  'draining',
  'stopped',
  'failed',
];
const MICROSECONDS = 1e6;

/** Numbers that nobody counts as they happen: the states, and the process itself. Brought up to date when somebody asks. */
export class HubMetrics {
  readonly #registry: MetricsRegistry;
  readonly #version: string;
  #countedCpu = 0;

  constructor(registry: MetricsRegistry, version: string) {
    this.#registry = registry;
    this.#version = version;
  }

  text(status: HubStatus): Promise<string> {
    this.#registry.apply([...hubSamples(status, this.#version), ...this.#processSamples()]);
    return this.#registry.text();
  }

  #processSamples(): MetricsDelta {
    const { user, system } = process.cpuUsage();
    const cpu = (user + system) / MICROSECONDS;
    const added = cpu - this.#countedCpu;
    this.#countedCpu = cpu;
    return [
      sample(METRIC.processCpu, {}, added),
      sample(METRIC.processMemory, {}, process.memoryUsage.rss()),
      sample(METRIC.processStart, {}, performance.timeOrigin / 1000),
    ];
  }
}

function hubSamples({ hubId, pipelines, workers }: HubStatus, version: string): MetricsDelta {
  return [
    sample(METRIC.info, { version, hub: hubId }, 1),
    ...pipelines.flatMap(({ name, state }) =>
      STATES.map((one) => sample(METRIC.pipelineState, { pipeline: name, state: one }, one === state ? 1 : 0)),
    ),
    ...workers.map(({ name, memoryBytes }) => sample(METRIC.workerMemory, { worker: name }, memoryBytes)),
  ];
}

function sample({ name }: { readonly name: string }, labels: Labels, value: number): MetricsDelta[number] {
  return { name, labels, value };
}
