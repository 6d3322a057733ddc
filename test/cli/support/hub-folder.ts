import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, publishedFiles } from '../../../src/testing/index.ts';

const entry = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'main.ts');
const leftovers: (() => Promise<void>)[] = [];

/** Ends and removes what the tests of a file left. */
export async function cleanUp(): Promise<void> {
  for (const leave of leftovers.splice(0).reverse()) await leave();
}

/** A folder of its own with a hub file and its pipelines, and the processes that run it. */
export class HubFolder {
  readonly path: string;
  readonly apiPort: number;
  readonly httpPort: number;
  /** Beside the environment of the test. */
  readonly env: Record<string, string> = {};
  /** A command before that of the hub, with its own parameters: `prlimit`, `setpriv`. */
  launcher: readonly string[] = [];

  private constructor(path: string, [apiPort, httpPort]: readonly number[]) {
    this.path = path;
    this.apiPort = apiPort!;
    this.httpPort = httpPort!;
  }

  /** `pipelines` maps names of files to YAML; `HTTP` in it becomes the address for a source. */
  static async create(pipelines: Readonly<Record<string, string>>, hub = ''): Promise<HubFolder> {
    const path = await mkdtemp(join(tmpdir(), 'sluice-run-'));
    leftovers.push(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
    const folder = new HubFolder(path, await freePorts(2));
    const files = Object.keys(pipelines).map((name) => `'${name}'`);
    const api = `api: { listen: '127.0.0.1:${folder.apiPort}' }`;
    await folder.write('sluice.yaml', `data_dir: data\npipelines: [${files.join(', ')}]\n${api}\n${hub}`);
    for (const [name, text] of Object.entries(pipelines))
      await folder.write(name, text.replaceAll('HTTP', `'127.0.0.1:${folder.httpPort}'`));
    return folder;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, name), text);
  }

  /** All lines of the published files below `folder`, sorted; none before the folder is there. */
  async published(folder: string): Promise<string[]> {
    const files = existsSync(join(this.path, folder)) ? await publishedFiles(join(this.path, folder)) : [];
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    return texts
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  }

  async api(page: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.apiPort}${page}`);
    return { status: response.status, body: await response.text() };
  }

  run(...args: string[]): HubProcess {
    return this.sluice('run', ...args);
  }

  /** Any command. */
  sluice(...args: string[]): HubProcess {
    const [program, ...parameters] = [...this.launcher, process.execPath, '-C', 'sluice-source', entry, ...args];
    const child = spawn(program!, parameters, {
      cwd: this.path,
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const hub = new HubProcess(child);
    leftovers.push(async () => {
      await hub.end('SIGKILL');
    });
    return hub;
  }
}

export class HubProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    this.#closed = once(child, 'close');
    child.stdout.on('data', (data: Buffer) => (this.stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (this.stderr += data.toString()));
  }

  /** On both streams. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** From now on nobody reads what it prints. */
  stopReading(): void {
    this.#child.stdout.pause();
  }

  /** What `| head` does. */
  closeStdout(): void {
    this.#child.stdout.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.signal(signal);
    return this.exit();
  }

  /** Null after a signal that ended it. */
  async exit(): Promise<number | null> {
    this.#child.stdout.resume();
    await this.#closed;
    return this.#child.exitCode;
  }

  async until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (!(await condition())) {
      if (Date.now() > deadline || this.#child.exitCode !== null)
        throw new Error(`waiting until ${what}: code ${this.#child.exitCode}\n${this.stdout}\n${this.stderr}`);
      await sleep(20);
    }
  }
}
