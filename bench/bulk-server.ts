import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../src/testing/free-ports.ts';
import type { LatencySummary } from './latency-histogram.ts';
import { RunningProgram } from './process.ts';

interface Counts {
  readonly documents: number;
  /** In microseconds, of documents that say when their line was appended. */
  readonly latency: LatencySummary;
}

/** A server in a process of its own that answers bulk requests at once. */
export class BulkServer {
  readonly url: string;
  readonly #running: RunningProgram;

  private constructor(url: string, running: RunningProgram) {
    this.url = url;
    this.#running = running;
  }

  static async start(folder: string): Promise<BulkServer> {
    const [port] = (await freePorts(1)) as [number];
    await mkdir(folder, { recursive: true });
    const entry = join(import.meta.dirname, 'processes', 'bulk-server.ts');
    const program = { command: process.execPath, parameters: ['-C', 'sluice-source', entry, String(port)] };
    const running = await RunningProgram.start(program, join(folder, 'bulk-server.txt'));
    const server = new BulkServer(`http://127.0.0.1:${port}`, running);
    await running.until(
      () =>
        server.counts().then(
          () => true,
          () => false,
        ),
      'the bulk server',
    );
    return server;
  }

  async counts(): Promise<Counts> {
    const response = await fetch(`${this.url}/_bench`);
    return (await response.json()) as Counts;
  }

  async reset(): Promise<void> {
    await fetch(`${this.url}/_bench/reset`);
  }

  async stop(): Promise<void> {
    await this.#running.stop();
  }
}
