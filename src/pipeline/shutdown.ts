import { SluiceError, type Clock } from '../api/index.ts';
import { Alarm } from './alarm.ts';
import type { SinkRunner } from './sink-runner.ts';
import type { SourceRunner } from './source-runner.ts';
import type { DrainReport } from './status.ts';

interface Legs {
  readonly sources: readonly SourceRunner[];
  readonly sinks: readonly SinkRunner[];
  readonly clock: Clock;
}

/** Ends a pipeline once: sources first, then what is in flight; at the deadline what is left is given up and repeated at the next start. */
export class Shutdown {
  readonly #legs: Legs;
  readonly #alarm: Alarm;
  readonly #expired = Promise.withResolvers<null>();
  #deadline = Infinity;
  #isExpired = false;
  #report: Promise<DrainReport> | null = null;

  constructor(legs: Legs) {
    this.#legs = legs;
    this.#alarm = new Alarm(legs.clock, () => {
      this.#expire();
    });
  }

  get hasBegun(): boolean {
    return this.#report !== null;
  }

  /** Later calls get the first one's promise; a shorter deadline holds from then on. */
  run(deadlineMs: number): Promise<DrainReport> {
    const now = this.#legs.clock.monotonic();
    this.#deadline = Math.min(this.#deadline, now + deadlineMs);
    if (!this.#isExpired) this.#alarm.set(this.#deadline);
    this.#report ??= this.#run(now, deadlineMs);
    return this.#report;
  }

  async #run(startedAt: number, deadlineMs: number): Promise<DrainReport> {
    const returnedBefore = this.#sum(({ returned }) => returned);
    await Promise.race([this.#drain(deadlineMs), this.#expired.promise]);
    this.#alarm.stop();
    const { sources, clock } = this.#legs;
    const unfinished = this.#sum(({ inFlight, returned }) => inFlight + returned) - returnedBefore;
    const sourceStatus = sources.map((source) => source.status());
    return {
      drained: !this.#isExpired && unfinished === 0,
      elapsedMs: clock.monotonic() - startedAt,
      recordsIn: sourceStatus.reduce((sum, { records }) => sum + records, 0),
      delivered: this.#sum(({ records }) => records),
      dropped: this.#sum(({ dropped }) => dropped),
      deadLettered:
        this.#sum(({ deadLettered }) => deadLettered) +
        sourceStatus.reduce((sum, { deadLettered }) => sum + deadLettered, 0),
      inFlight: unfinished,
    };
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { sources, sinks, clock } = this.#legs;
    // A source that does not end must not take the sinks' time to flush and save.
    const patience = new AbortController();
    const tooLong = clock.sleep(deadlineMs / 2, patience.signal).catch(() => undefined);
    await Promise.race([Promise.all(sources.map((source) => source.stop())), tooLong]);
    patience.abort();
    const error = new SluiceError('TIMEOUT', 'stopping a source: it did not end in time');
    for (const source of sources) source.kill(error);
    await Promise.all(sinks.map((sink) => sink.stop()));
  }

  #expire(): void {
    this.#isExpired = true;
    const error = new SluiceError('TIMEOUT', 'draining the pipeline: the deadline passed');
    for (const leg of [...this.#legs.sources, ...this.#legs.sinks]) leg.kill(error);
    // What the legs give up at once is counted by then.
    setImmediate(() => {
      this.#expired.resolve(null);
    });
  }

  #sum(of: (status: ReturnType<SinkRunner['status']>) => number): number {
    return this.#legs.sinks.reduce((sum, sink) => sum + of(sink.status()), 0);
  }
}
