import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { endWithThisProcess } from '../../ending.ts';

const GRACE_MS = 10_000;

/** A program that runs until it is ended. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor(command: string, parameters: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, parameters, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    endWithThisProcess(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => (this.#output = (this.#output + bytes.toString()).slice(-2000)));
    this.#ended = once(this.#child, 'close');
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output;
  }

  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
