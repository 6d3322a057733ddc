import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDataFolder } from '../../../src/log/index.ts';
import type { KafkaClient } from '../../../src/kafka/index.ts';
import { Ledger, type LedgerCount, type LedgerOptions } from '../../../src/testing/index.ts';
import { freePorts } from '../../../src/testing/free-ports.ts';
import { createHub, HubProcess, type Hub } from '../hub.ts';
import { endsOf, openClient, readAll } from '../kafka/topics.ts';
import { until, type Running } from '../kafka/waiting.ts';

export interface SourceRunOptions {
  readonly folder: string;
  /** Names the pipeline and its topic. */
  readonly name: string;
  /** Entries of `sources`, by their names: each is given a port of its own. */
  readonly listeners: Readonly<Record<string, (port: number) => string>>;
  /** Null: on the embedded log, and from there into files. */
  readonly brokers: string | null;
  /** Lines of the hub file. */
  readonly settings?: readonly string[];
}

const DEADLINE_MS = 120_000;

/** A hub of one pipeline whose topic is read when the clients are through. */
export class SourceRun {
  readonly hub: Hub;
  readonly ports: Readonly<Record<string, number>>;
  life: HubProcess;
  readonly #options: SourceRunOptions;
  readonly #client: KafkaClient | null;

  static async start(options: SourceRunOptions): Promise<SourceRun> {
    const names = Object.keys(options.listeners);
    const free = await freePorts(names.length);
    const ports = Object.fromEntries(names.map((name, at) => [name, free[at]!]));
    const sources = names.map((name) => `${options.listeners[name]!(ports[name]!)}\n    name: ${name}`);
    const hub = await createHub(options.folder, pipelineOf(options, sources), [
      ...(options.brokers === null ? [] : [`kafka: { brokers: ['${options.brokers}'] }`]),
      ...(options.settings ?? []),
    ]);
    const run = new SourceRun({ hub, ports, options });
    await run.listening();
    return run;
  }

  private constructor({ hub, ports, options }: { hub: Hub; ports: Record<string, number>; options: SourceRunOptions }) {
    this.hub = hub;
    this.ports = ports;
    this.#options = options;
    this.#client = options.brokers === null ? null : openClient(options.brokers);
    this.life = new HubProcess(hub, ['run']);
  }

  /** Resolves when every listener is served. */
  async listening(): Promise<void> {
    const ready = `http://127.0.0.1:${this.hub.apiPort}/ready`;
    await until('the hub is ready', async () => (await fetch(ready).catch(() => null))?.status === 200, {
      hubs: [this.life],
      deadlineMs: 60_000,
    });
  }

  /** Ends the process, and starts another one. */
  async killed(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.life.kill(signal);
    this.life = new HubProcess(this.hub, ['run']);
  }

  /** How many records the topic has. */
  async stored(): Promise<number> {
    const ends =
      this.#client === null
        ? await readDataFolder({ dataDir: this.hub.dataDir }).then(
            ({ topics }) => topics.find(({ name }) => name === this.#options.name)?.ends ?? [],
          )
        : await endsOf(this.#client, this.#options.name).catch(() => []);
    return ends.reduce((sum, end) => sum + end, 0);
  }

  /** Waits until the topic has as many, while these programs run. */
  async holds(records: number, programs: readonly Running[] = []): Promise<void> {
    await until(`${records} records are in the topic`, async () => (await this.stored()) >= records, {
      hubs: [this.life, ...programs],
      deadlineMs: DEADLINE_MS,
    });
  }

  /** Waits until each is in the topic of Kafka, up to the deadline: its ends say less, for markers, aborted records and repeats have offsets, too. */
  async holdsEach(records: number): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (this.life.alive && performance.now() < deadline) {
      if ((await this.#read({ expected: records })).count().lost === 0) return;
      await sleep(1000);
    }
  }

  /** Ends the hub, and counts the records of its topic. `missing`: the first of those that are not there. */
  async count(options: LedgerOptions): Promise<LedgerCount & { readonly missing: readonly number[] }> {
    // A hub that has just been started does not know the signal yet.
    await this.listening();
    const code = await this.life.kill('SIGTERM');
    if (code !== 0) throw new Error(`the hub ended with ${code}:\n${this.life.output}`);
    const ledger = await this.#read(options);
    return { ...ledger.count(), missing: ledger.missing() };
  }

  async #read(options: LedgerOptions): Promise<Ledger> {
    const ledger = new Ledger(options);
    if (this.#client === null) await ledger.addFolder(join(this.#options.folder, 'out'));
    else
      await readAll(this.#client, this.#options.name, (value) => {
        ledger.add(value);
      });
    return ledger;
  }

  async end(): Promise<void> {
    await this.life.kill();
    await this.#client?.close();
  }
}

function pipelineOf({ name, brokers }: SourceRunOptions, sources: readonly string[]): string {
  const sinks =
    brokers === null
      ? 'sinks:\n  - file: { path: out, format: ndjson, roll: { size: 8MiB, age: 1s, idle: 200ms } }\n'
      : '';
  return `name: ${name}\nsources:\n${sources.map((source) => `  - ${source}\n`).join('')}topic: { name: ${name}, partitions: 4 }\n${sinks}`;
}
