import { startChild, signalChild, stopChild, stopInOrder, waitUntilReady, type Child } from './child.ts';
import { down, recordChildren, up, type Address, type ServiceName } from './services.ts';
import type { Settings } from './service.ts';

/** A server of one's own, to be hurt. Without the name of a process each method means all of them (`broker-2` of a cluster means one). */
export class OwnServer<Name extends ServiceName> {
  readonly where: Address<Name>;
  readonly #name: Name;
  readonly #runFolder: string;
  #children: readonly Child[];

  private constructor(name: Name, runFolder: string, children: readonly Child[], where: Address<Name>) {
    this.#name = name;
    this.#runFolder = runFolder;
    this.#children = children;
    this.where = where;
  }

  /** Starts it with its data below `runFolder`, which no other server of this kind may use. */
  static async start<Name extends ServiceName>(
    name: Name,
    runFolder: string,
    settings: Settings = {},
  ): Promise<OwnServer<Name>> {
    const { children, where } = await up(name, runFolder, settings);
    return new OwnServer(name, runFolder, children, where);
  }

  get processes(): readonly string[] {
    return this.#children.map(({ launch }) => launch.name);
  }

  /** SIGTERM, and resolves when it has ended. */
  async stop(process?: string): Promise<void> {
    await stopInOrder(this.#chosen(process));
  }

  /** SIGKILL, and resolves when it has ended. */
  async kill(process?: string): Promise<void> {
    await Promise.all(this.#chosen(process).map((child) => stopChild(child, 'SIGKILL')));
  }

  /** SIGSTOP: connections stay open and nobody answers. */
  async pause(process?: string): Promise<void> {
    await Promise.all(this.#chosen(process).map((child) => signalChild(child, 'SIGSTOP')));
  }

  async resume(process?: string): Promise<void> {
    await Promise.all(this.#chosen(process).map((child) => signalChild(child, 'SIGCONT')));
  }

  /** Starts what was stopped or killed with the same data on the same ports, and resolves when it answers. */
  async startAgain(process?: string): Promise<void> {
    const ended = this.#chosen(process);
    await stopInOrder(ended);
    const started = await Promise.all(ended.map(({ launch }) => startChild(launch)));
    this.#children = this.#children.map(
      (child) => started.find(({ launch }) => launch.name === child.launch.name) ?? child,
    );
    await recordChildren(this.#name, this.#runFolder, this.#children);
    await Promise.all(started.map(waitUntilReady));
  }

  /** Ends it and deletes its data. */
  async down(): Promise<void> {
    await down(this.#name, this.#runFolder);
  }

  #chosen(process: string | undefined): readonly Child[] {
    if (process === undefined) return this.#children;
    const chosen = this.#children.filter(({ launch }) => launch.name === process);
    if (chosen.length === 0) throw new Error(`${this.#name} has no process ${process}: ${this.processes.join(', ')}`);
    return chosen;
  }
}
