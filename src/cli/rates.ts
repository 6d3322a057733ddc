import type { Totals } from '../supervisor/index.ts';

interface Sample {
  readonly at: number;
  readonly recordsIn: number;
  readonly delivered: number;
}

export interface Rates {
  /** Records per second. */
  readonly recordsIn: number;
  readonly delivered: number;
}

/** Long enough to be calm, short enough to be true. */
const WINDOW_MS = 3000;

/** Records per second of each pipeline over the last seconds, from totals. */
export class RateMeter {
  readonly #samples = new Map<string, Sample[]>();

  /** `now` is monotonic. */
  add(pipeline: string, { recordsIn, delivered }: Totals, now: number): Rates {
    const samples = this.#samples.get(pipeline) ?? [{ at: now, recordsIn: 0, delivered: 0 }];
    this.#samples.set(pipeline, samples);
    samples.push({ at: now, recordsIn, delivered });
    while (samples.length > 2 && samples[1]!.at <= now - WINDOW_MS) samples.shift();
    const first = samples[0]!;
    const seconds = Math.max(1, (now - first.at) / 1000);
    return { recordsIn: (recordsIn - first.recordsIn) / seconds, delivered: (delivered - first.delivered) / seconds };
  }
}
