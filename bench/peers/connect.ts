import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaVersion } from '../../scripts/services/kafka-tools.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import type { RunningProgram } from '../process.ts';
import type { Daemon } from '../system.ts';
import { javaMissing, javaProgram, propertiesText, type Artifacts } from './java.ts';

export type Properties = Readonly<Record<string, string | number | boolean>>;

const artifacts: Artifacts = {
  name: `connect-${kafkaVersion}`,
  coordinates: [
    `org.apache.kafka:connect-runtime:${kafkaVersion}`,
    `org.apache.kafka:connect-file:${kafkaVersion}`,
    `org.apache.kafka:connect-mirror:${kafkaVersion}`,
    // The binding for slf4j 1.7, which Connect brings without one; its default shows errors.
    'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4',
  ],
};

/** Those of `connect-standalone.sh`, which users start it with. */
const jvm = [
  '-Xms256M',
  '-Xmx2G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
];

export interface ConnectOptions<Task> {
  readonly name: string;
  readonly recordsPerSecond: number;
  /** Beside brokers, REST address and place of the offsets. */
  readonly worker: (task: Task) => Properties;
  readonly connector: (task: Task) => Properties;
}

/** A standalone worker of Kafka Connect with one connector. */
export function connect<Task extends { readonly folder: string; readonly brokers: string }>(
  options: ConnectOptions<Task>,
): Daemon<Task> {
  const ports = new Map<string, number>();
  const { name, recordsPerSecond } = options;
  return {
    kind: 'daemon',
    name,
    recordsPerSecond,
    missing: () => javaMissing(artifacts),
    async prepare(task) {
      const { folder, brokers } = task;
      const [port] = (await freePorts(1)) as [number];
      ports.set(folder, port);
      const worker = join(folder, 'worker.properties');
      const connector = join(folder, 'connector.properties');
      const place = {
        'bootstrap.servers': brokers,
        listeners: `http://127.0.0.1:${port}`,
        'offset.storage.file.filename': join(folder, 'offsets'),
      };
      await writeFile(worker, propertiesText({ ...place, ...options.worker(task) }));
      await writeFile(connector, propertiesText({ name: 'bench', 'tasks.max': 1, ...options.connector(task) }));
      const main = 'org.apache.kafka.connect.cli.ConnectStandalone';
      return javaProgram(artifacts, { options: jvm, main, parameters: [worker, connector] });
    },
    ready: ({ folder }, running) => taskRuns(running, ports.get(folder)!),
  };
}

function taskRuns(running: RunningProgram, port: number): Promise<void> {
  return running.until(async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/connectors/bench/tasks/0/status`);
      return response.ok && ((await response.json()) as { readonly state: string }).state === 'RUNNING';
    } catch {
      // Nobody listens yet.
      return false;
    }
  }, 'the task of the connector to run');
}
