import type { Writable } from 'node:stream';
import { SluiceError, type RecordBatch, type Sink, type SinkContext, type WriteResult } from 'sluice/api';
import { formatRecord, grouped, type ConsoleFormat } from './format.ts';
import { Sampler } from './sampler.ts';

/** Handed to the output at once. */
const PIECE_CHARACTERS = 64 * 1024;

export interface ConsoleSinkSettings {
  readonly format: ConsoleFormat;
  /** Infinity prints everything. */
  readonly maxPerSecond: number;
  readonly output: Writable;
}

/** Prints records, no faster than the output takes them. */
export class ConsoleSink implements Sink {
  readonly #settings: ConsoleSinkSettings;
  readonly #context: SinkContext;
  readonly #sampler: Sampler;
  readonly #closing = new AbortController();
  #printed = 0;
  #skipped = 0;
  /** Skipped, and not told in the output yet. */
  #untold = 0;
  #isTelling = false;

  constructor(settings: ConsoleSinkSettings, context: SinkContext) {
    this.#settings = settings;
    this.#context = context;
    this.#sampler = new Sampler(settings.maxPerSecond, context.clock);
  }

  async write(batch: RecordBatch): Promise<WriteResult> {
    const { format } = this.#settings;
    let lines = '';
    for (const { topic, partition, first, count } of batch.runs) {
      const granted = this.#sampler.take(count);
      if (granted > 0) lines += this.#skipNote();
      for (let index = first; index < first + granted; index++) {
        lines += formatRecord(batch, index, { format, topic, partition });
        if (lines.length < PIECE_CHARACTERS) continue;
        await this.#print(lines);
        lines = '';
      }
      this.#printed += granted;
      this.#skipped += count - granted;
      this.#untold += count - granted;
    }
    if (lines !== '') await this.#print(lines);
    if (this.#untold > 0) this.#tellLater();
    this.#report();
    return { failures: [] };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const note = this.#skipNote();
    if (note !== '' && !this.#context.signal.aborted) await this.#print(note);
  }

  /** Says at the end of the second what was left out of it, when no record comes that says so before. */
  #tellLater(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const signal = AbortSignal.any([this.#context.signal, this.#closing.signal]);
    this.#context.clock
      .sleep(this.#sampler.waitMs, signal)
      .then(() => {
        this.#isTelling = false;
        const note = this.#skipNote();
        return note === '' ? undefined : this.#print(note);
      })
      // The sink is at its end, or its output is, which the next write says.
      .catch(() => undefined);
  }

  /** Programs read no notes: for them the status line has to do. */
  #skipNote(): string {
    const skipped = this.#untold;
    this.#untold = 0;
    if (skipped === 0 || this.#settings.format !== 'pretty') return '';
    const records = skipped === 1 ? 'record' : 'records';
    return `… ${grouped(skipped)} more ${records}, not printed (max_per_second: ${this.#settings.maxPerSecond})\n`;
  }

  #report(): void {
    const skipped = this.#skipped === 0 ? '' : `, ${grouped(this.#skipped)} skipped`;
    this.#context.report(`${grouped(this.#printed)} printed${skipped}`);
  }

  /** Resolves when the output has taken the text, which is the back-pressure. */
  #print(text: string): Promise<void> {
    const { signal } = this.#context;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      this.#settings.output.write(text, (error) => {
        signal.removeEventListener('abort', onAbort);
        if (error === undefined || error === null) resolve();
        else reject(new SluiceError('SINK_UNAVAILABLE', 'printing records', { retryable: true, cause: error }));
      });
    });
  }
}
