import type { ReplayTotals } from '../pipeline/index.ts';
import type { CliIo } from './io.ts';
import { counted, grouped, rate, timeSpan } from './numbers.ts';
import { printable } from './printable.ts';

const LINE_MS = 10_000;
const LIVE_MS = 200;

/** How a replay is going, on stderr: one line on a terminal, a line each ten seconds elsewhere. */
export class ReplayDisplay {
  readonly #io: CliIo;
  readonly #records: number;
  readonly #isLive: boolean;
  readonly #begin = performance.now();
  readonly #waits = new Map<string, string>();
  #shownAt = performance.now();
  #hasLine = false;

  /** `records`: there are altogether. */
  constructor(io: CliIo, { records, quiet }: { readonly records: number; readonly quiet: boolean }) {
    this.#io = quiet ? { ...io, stderr: { write: () => true } } : io;
    this.#records = records;
    this.#isLive = io.stderr.isTTY === true;
  }

  update({ records, delivered, refused }: ReplayTotals): void {
    const now = performance.now();
    if (now - this.#shownAt < (this.#isLive ? LIVE_MS : LINE_MS)) return;
    this.#shownAt = now;
    const perSecond = (records / (now - this.#begin)) * 1000;
    const left = perSecond === 0 ? '' : `, ${timeSpan(((this.#records - records) / perSecond) * 1000)} left`;
    const done = `${grouped(records)} of ${counted(this.#records, 'dead letter')}`;
    this.#line(
      `${done}, ${rate(perSecond)}/s${left}: ${grouped(delivered)} delivered, ${grouped(refused)} refused again`,
    );
  }

  /** Null: it goes on. */
  waits(leg: string, reason: string | null): void {
    if (reason === null) this.#waits.delete(leg);
    else if (this.#waits.get(leg) !== reason) {
      this.#waits.set(leg, reason);
      this.#line(printable(`${leg} waits: ${reason}`));
    }
  }

  end(): void {
    if (this.#isLive && this.#hasLine) this.#io.stderr.write('\r\x1b[K');
  }

  #line(text: string): void {
    this.#io.stderr.write(this.#isLive ? `\r\x1b[K${text}` : `${text}\n`);
    this.#hasLine = true;
  }
}
