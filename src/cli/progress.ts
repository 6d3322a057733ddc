import { stripVTControlCharacters } from 'node:util';
import type { Clock, Logger } from '../api/index.ts';
import type { PipelinePlan } from '../config/index.ts';
import type { HubStatus } from '../supervisor/index.ts';
import type { CliIo, Output } from './io.ts';
import { RateMeter } from './rates.ts';
import { statusTable } from './table.ts';

/** Shows how a hub is doing, and lets everything else that is printed pass above it. */
export interface Progress {
  /** Resolves when the stream took it: what workers wait for before they print more. */
  print(stream: 'stdout' | 'stderr', text: string | Uint8Array): Promise<void>;
  /** Shows the status as it is now. */
  update(status: HubStatus): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

interface ProgressOptions {
  readonly io: CliIo;
  readonly plans: readonly PipelinePlan[];
  readonly clock: Clock;
}

/** The display of a terminal: redrawn in place. */
export class LiveProgress implements Progress {
  readonly #io: CliIo;
  readonly #plans: readonly PipelinePlan[];
  readonly #clock: Clock;
  readonly #meter = new RateMeter();
  /** Records go to the same screen, so the display has to make room for them. */
  readonly #sharesScreen: boolean;
  #lines: readonly string[] = [];
  #drawn = 0;
  #isMidLine = false;

  constructor({ io, plans, clock }: ProgressOptions) {
    this.#io = io;
    this.#plans = plans;
    this.#clock = clock;
    this.#sharesScreen = io.stdout.isTTY === true;
  }

  async print(stream: 'stdout' | 'stderr', text: string | Uint8Array): Promise<void> {
    const output = this.#io[stream];
    if (stream === 'stdout' && !this.#sharesScreen) return write(output, text);
    this.#erase();
    const written = write(output, text);
    this.#isMidLine = text.at(-1) !== '\n' && text.at(-1) !== 0x0a;
    this.#draw();
    return written;
  }

  update(status: HubStatus): void {
    const now = this.#clock.monotonic();
    const rates = new Map(status.pipelines.map(({ name, totals }) => [name, this.#meter.add(name, totals, now)]));
    const lines = statusTable({
      status,
      plans: this.#plans,
      rates: ({ name }) => rates.get(name)!,
      cwd: this.#io.cwd,
    });
    const fitted = fit(lines, this.#io.stderr);
    if (this.#drawn > 0 && fitted.join('\n') === this.#lines.join('\n')) return;
    this.#erase();
    this.#lines = fitted;
    this.#draw();
  }

  end(): void {
    this.#lines = [];
    this.#drawn = 0;
  }

  #erase(): void {
    if (this.#drawn === 0) return;
    this.#io.stderr.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    // The rest of a line is on its way; in the middle of it there is no place for a table.
    if (this.#lines.length === 0 || this.#isMidLine) return;
    this.#io.stderr.write(`\n${this.#lines.join('\n')}\n`);
    this.#drawn = this.#lines.length + 1;
  }
}

/** Without a terminal: a line of the log every ten seconds in which something happened. */
export class LineProgress implements Progress {
  readonly #io: CliIo;
  readonly #clock: Clock;
  readonly #log: () => Logger;
  readonly #meter = new RateMeter();
  readonly #told = new Map<string, string>();

  constructor({ io, clock, log }: Omit<ProgressOptions, 'plans'> & { readonly log: () => Logger }) {
    this.#io = io;
    this.#clock = clock;
    this.#log = log;
  }

  print(stream: 'stdout' | 'stderr', text: string | Uint8Array): Promise<void> {
    return write(this.#io[stream], text);
  }

  update(status: HubStatus): void {
    const now = this.#clock.monotonic();
    for (const { name, state, totals, sinks } of status.pipelines) {
      const lag = sinks.reduce((sum, sink) => sum + sink.lag, 0);
      const { recordsIn, delivered } = this.#meter.add(name, totals, now);
      const text = JSON.stringify([state, totals, lag]);
      if (this.#told.get(name) === text) continue;
      this.#told.set(name, text);
      const rates = { inPerSecond: Math.round(recordsIn), outPerSecond: Math.round(delivered) };
      const counts = { in: totals.recordsIn, delivered: totals.delivered, lag, deadLetters: totals.deadLettered };
      this.#log().info({ pipeline: name, state, ...counts, ...rates }, 'progress');
    }
  }

  end(): void {
    // Lines stay where they are.
  }
}

function write(output: Output, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => {
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}

/** A display that is taller or wider than the screen could not be erased again. */
function fit(lines: readonly string[], { columns = 80, rows = 24 }: Output): string[] {
  const room = Math.max(2, rows - 2);
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`];
  return shown.map((line) => {
    const clean = stripVTControlCharacters(line).replace(/\p{C}/gu, '�');
    return clean.length < columns ? clean : `${clean.slice(0, Math.max(0, columns - 2))}…`;
  });
}
