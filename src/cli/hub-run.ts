import { extname, join } from 'node:path';
import { SluiceError, type Clock, type Logger } from '../api/index.ts';
import type { HubPlan } from '../config/index.ts';
import { openDataFolder, type DataFolder } from '../log/index.ts';
import { createSupervisor, type HubEnd, type Supervisor } from '../supervisor/index.ts';
import { createLogger, MetricsRegistry, realClock, type LogLevel } from '../telemetry/index.ts';
import { banner } from './banner.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { CliIo } from './io.ts';
import { packageVersion } from './package-root.ts';
import { LineProgress, LiveProgress, type Progress } from './progress.ts';
import { listenForSignals } from './signals.ts';
import { drainLine, summaryLines } from './summary.ts';

export interface HubRunOptions {
  /** To the end of all input instead of for ever. */
  readonly once: boolean;
  /** With `once`: what is not done by then is left undone. */
  readonly timeoutMs: number;
  readonly verbose: boolean;
  /** Log lines, and what else is said, as JSON. */
  readonly json: boolean;
}

/** Threads that cannot be ended (a system call that never returns) must not keep a hub that was told twice. */
const FORCE_MS = 2000;
/** Nobody reads any more: there is little to wait for. */
const UNREAD_DRAIN_MS = 2000;
const FIRST_SHOW_MS = 300;
const LIVE_MS = 1000;
const LINE_MS = 10_000;

/** One run of a hub, from the lock of its folder to the summary. */
export class HubRun {
  readonly #plan: HubPlan;
  readonly #options: HubRunOptions;
  readonly #io: CliIo;
  readonly #clock: Clock = realClock;
  readonly #log: Logger;
  readonly #logLevel: LogLevel;
  readonly #progress: Progress;
  readonly #isLive: boolean;
  readonly #metrics = new MetricsRegistry();
  /** Ends what accompanies the run: the display, the time-out, the API. */
  readonly #over = new AbortController();

  constructor(plan: HubPlan, options: HubRunOptions, io: CliIo) {
    this.#plan = plan;
    this.#options = options;
    this.#io = io;
    const isTerminal = io.stderr.isTTY === true;
    this.#isLive = isTerminal && !options.json;
    // The display says what info lines would say.
    this.#logLevel = options.verbose ? 'debug' : this.#isLive ? 'warn' : 'info';
    const [clock, plans] = [this.#clock, plan.pipelines];
    this.#progress = this.#isLive
      ? new LiveProgress({ io, plans, clock })
      : new LineProgress({ io, clock, log: () => this.#log });
    const destination = {
      write: (line: string) => {
        this.#say(line);
      },
    };
    this.#log = createLogger({ level: this.#logLevel, destination, pretty: isTerminal, json: options.json });
  }

  /** Rejects when the run cannot begin: the data folder is in use, damaged or not writable, the API's address taken. */
  async run(): Promise<ExitCode> {
    const { dataDir, host } = this.#plan;
    const folder = await openDataFolder({ dataDir, hubId: host, clock: this.#clock, log: this.#log });
    try {
      return this.#exitCode(await this.#supervise(folder));
    } finally {
      this.#over.abort(new SluiceError('TIMEOUT', 'running the hub: it ended'));
      await folder.close();
    }
  }

  async #supervise(dataFolder: DataFolder): Promise<HubEnd> {
    const { once, json } = this.#options;
    const { api } = this.#plan;
    const version = packageVersion();
    const supervisor: Supervisor = createSupervisor({
      plan: this.#plan,
      dataFolder,
      workerUrl: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
      clock: this.#clock,
      log: this.#log,
      logLevel: this.#logLevel,
      metrics: this.#metrics,
      once,
      print: (stream, text) => this.#print(stream, text, supervisor),
    });
    const unlisten = this.#stopOnSignals(supervisor);
    const starting = supervisor.start();
    if (!json) this.#say(banner({ plan: this.#plan, version, cwd: this.#io.cwd, once }));
    try {
      await Promise.all([starting, api === null || once ? null : this.#serveApi(api, supervisor, version)]);
    } catch (error) {
      supervisor.force();
      await starting.then(
        () => supervisor.finished,
        () => undefined,
      );
      throw error;
    }
    void this.#show(supervisor);
    if (once) void this.#limitTime(supervisor);
    const end = await supervisor.finished;
    unlisten();
    this.#conclude(supervisor, end);
    return end;
  }

  #stopOnSignals(supervisor: Supervisor): () => void {
    return listenForSignals({
      monotonic: () => this.#clock.monotonic(),
      onFirst: () => {
        if (!this.#options.json) this.#say('draining … (once more to end at once)\n');
        void supervisor.stop({ drainMs: this.#plan.drainMs });
      },
      onSecond: () => {
        supervisor.force();
        void this.#endAnyway();
      },
    });
  }

  async #endAnyway(): Promise<void> {
    try {
      await this.#clock.sleep(FORCE_MS, this.#over.signal);
      process.kill(process.pid, 'SIGKILL');
    } catch {
      // Everything ended as it should.
    }
  }

  async #serveApi(address: NonNullable<HubPlan['api']>, supervisor: Supervisor, version: string): Promise<void> {
    // Not before the workers are on their way: the first record waits for nothing of this.
    const [{ loadToken, startAdmin, TOKEN_FILE }, { formatAddress, isLoopback }] = await Promise.all([
      import('../admin/index.ts'),
      import('../toolkit/index.ts'),
    ]);
    const token = isLoopback(address.host) ? null : await loadToken(this.#plan.dataDir);
    const server = await startAdmin({
      address,
      token,
      version,
      status: () => supervisor.status(),
      metrics: this.#metrics,
      clock: this.#clock,
      log: this.#log,
    });
    this.#log.info({ address: formatAddress(server.address) }, 'API listens');
    if (token !== null)
      this.#log.warn({ file: join(this.#plan.dataDir, TOKEN_FILE) }, 'API wants the token of this file');
    this.#over.signal.addEventListener('abort', () => void server.close(), { once: true });
  }

  /** What workers print. When nobody reads it any more, as after `| head`, the hub stops. */
  async #print(stream: 'stdout' | 'stderr', text: Uint8Array, supervisor: Supervisor): Promise<void> {
    try {
      await this.#progress.print(stream, text);
    } catch (error) {
      void supervisor.stop({ drainMs: Math.min(UNREAD_DRAIN_MS, this.#plan.drainMs) });
      throw error;
    }
  }

  #say(text: string): void {
    // A message that nobody can read is no reason to stop.
    this.#progress.print('stderr', text).catch(() => undefined);
  }

  async #show(supervisor: Supervisor): Promise<void> {
    let delayMs = this.#isLive ? FIRST_SHOW_MS : LINE_MS;
    while (await this.#waited(delayMs)) {
      this.#progress.update(supervisor.status());
      delayMs = this.#isLive ? LIVE_MS : LINE_MS;
    }
  }

  async #limitTime(supervisor: Supervisor): Promise<void> {
    const { timeoutMs } = this.#options;
    if (!(await this.#waited(timeoutMs))) return;
    this.#log.error({ timeoutMs }, 'not everything was delivered in time, stopping');
    void supervisor.stop({ drainMs: this.#plan.drainMs });
  }

  /** False when the run is over. */
  async #waited(delayMs: number): Promise<boolean> {
    try {
      await this.#clock.sleep(delayMs, this.#over.signal);
      return true;
    } catch {
      return false;
    }
  }

  #conclude(supervisor: Supervisor, end: HubEnd): void {
    this.#over.abort(new SluiceError('TIMEOUT', 'running the hub: it ended'));
    const { once, json } = this.#options;
    if (json) {
      for (const { name, ...result } of end.pipelines) this.#log.info({ pipeline: name, ...result }, 'pipeline ended');
      return;
    }
    if (this.#isLive) this.#progress.update(supervisor.status());
    this.#progress.end();
    const wasStopped = end.pipelines.some(({ outcome }) => outcome === 'stopped' || outcome === 'lost');
    const lines = [...(wasStopped ? [drainLine(end)] : []), ...summaryLines(end, once)];
    this.#say(`${lines.join('\n')}\n`);
  }

  #exitCode({ pipelines }: HubEnd): ExitCode {
    const good = this.#options.once ? ['drained'] : ['stopped', 'paused'];
    if (!pipelines.every(({ outcome }) => good.includes(outcome))) return EXIT.unfinished;
    const hasDeadLetters = pipelines.some(({ deadLettered }) => deadLettered > 0);
    return this.#options.once && hasDeadLetters ? EXIT.deadLetters : EXIT.done;
  }
}
