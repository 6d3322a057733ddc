import { SluiceError, type BatchBuilder, type Position, type Source, type SourceContext } from 'sluice/api';
import { Pace } from './pace.ts';
import { GeneratedValues } from './values.ts';

/** The source has one partition, whose position is the number of the next record. */
export const PARTITION = 'records';

export interface GenerateSettings {
  /** Infinity: for ever. */
  readonly count: number;
  /** Records per second; Infinity: as fast as they are taken. */
  readonly rate: number;
  /** Bytes of a value. */
  readonly size: number;
  readonly seed: number;
  readonly streams: number;
}

/** Makes records 0, 1, 2 … of a seed, and goes on exactly behind the last one that is durable. */
export class GenerateSource implements Source {
  readonly #settings: GenerateSettings;

  constructor(settings: GenerateSettings) {
    this.#settings = settings;
  }

  async run(context: SourceContext): Promise<void> {
    const { count, rate, size, streams } = this.#settings;
    const { signal } = context;
    this.#check(context);
    if (context.once && count === Infinity) {
      context.report('nothing to generate: without `count` there is no end to run to');
      context.log.warn({}, 'without `count` a generator has no end, so a run that ends generates nothing');
      return;
    }
    const values = new GeneratedValues(this.#settings);
    const pace = new Pace(rate, context.clock);
    let next = positionOf((await context.load([PARTITION])).get(PARTITION));
    for (let turn = 0; next < count && !signal.aborted; turn = (turn + 1) % streams) {
      const due = await pace.due(signal);
      const batch = await context.batch(size);
      const end = fill(batch, values, next, Math.min(count, next + due), context.clock.now());
      pace.took(end - next);
      next = end;
      // Not awaited: the budget is the back-pressure, and a rejection restarts the source from its checkpoint.
      void context.emit(batch, {
        positions: [[PARTITION, next]],
        ...(streams === 1 ? {} : { stream: `stream-${turn}` }),
      });
      this.#report(context, next);
    }
  }

  #check({ maxRecordBytes }: SourceContext): void {
    const { size } = this.#settings;
    if (size <= maxRecordBytes) return;
    throw new SluiceError(
      'OPTION_INVALID',
      `generating values of ${size} bytes: the record limit of the topic is ${maxRecordBytes}`,
    );
  }

  #report(context: SourceContext, next: number): void {
    const { count } = this.#settings;
    const total = count === Infinity ? '' : ` of ${count.toLocaleString('en-US')}`;
    context.report(`${next.toLocaleString('en-US')}${total} generated`);
  }
}

/** Appends records from `next` up to `end`, as many as there is room for, and returns the number of the first that is not in. */
function fill(batch: BatchBuilder, values: GeneratedValues, next: number, end: number, timestampMs: number): number {
  const { bytes } = values;
  for (; next < end; next++) {
    values.write(next);
    if (!batch.appendSlice(bytes, 0, bytes.length, timestampMs)) return next;
  }
  return next;
}

function positionOf(saved: Position | undefined): number {
  if (saved === undefined) return 0;
  if (typeof saved === 'number' && Number.isSafeInteger(saved) && saved >= 0) return saved;
  throw new SluiceError(
    'SOURCE_FAILED',
    `going on from the saved position ${JSON.stringify(saved)}: it is no record number`,
  );
}
