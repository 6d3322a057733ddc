import type { Readable } from 'node:stream';
import {
  describeError,
  SluiceError,
  type BatchBuilder,
  type RejectedRecord,
  type Source,
  type SourceContext,
} from 'sluice/api';
import { LineCutter } from './lines.ts';

/** Between two attempts to make lines durable: a full disk is not emptied in less. */
const RETRY_MS = 1000;

/** Each line of an input is a record. What was read waits until it is durable before more is taken: nobody can be asked for it again. */
export class StdinSource implements Source {
  readonly #open: () => Readable;
  #lines = 0;

  /** `open` is called by `run`; the stream is destroyed at its end. */
  constructor(open: () => Readable) {
    this.#open = open;
  }

  async run(context: SourceContext): Promise<void> {
    const { signal } = context;
    const cutter = new LineCutter(context.maxRecordBytes);
    const input = this.#open();
    const onAbort = (): void => {
      input.destroy();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      context.report('reading, nothing came yet');
      for await (const chunk of input as AsyncIterable<Buffer>) {
        cutter.feed(chunk);
        await this.#deliver(cutter, context);
      }
      cutter.finish();
      await this.#deliver(cutter, context);
      this.#report(context, 'at its end');
    } catch (error) {
      // Whoever asked it to end destroyed the stream.
      if (signal.aborted) return;
      if (error instanceof SluiceError) throw error;
      throw new SluiceError('SOURCE_FAILED', 'reading the standard input', { cause: error });
    } finally {
      signal.removeEventListener('abort', onAbort);
      input.destroy();
    }
  }

  /** Makes durable what the cutter has: until it is, however often that takes. */
  async #deliver(cutter: LineCutter, context: SourceContext): Promise<void> {
    for (let isLine = cutter.next(); isLine;) {
      const mark = cutter.mark();
      const batch = await context.batch(cutter.end - cutter.start);
      const filled = fill(batch, cutter, context.clock.now());
      const lines = batch.count + filled.rejected.length;
      try {
        await context.emit(batch, { rejected: filled.rejected });
        isLine = filled.isLine;
        this.#lines += lines;
        this.#report(context, 'reading');
      } catch (error) {
        this.#report(context, `waiting (${describeError(error)})`);
        await context.clock.sleep(RETRY_MS, context.signal);
        cutter.rewind(mark);
      }
    }
  }

  #report(context: SourceContext, what: string): void {
    context.report(`${what}, ${this.#lines.toLocaleString('en-US')} ${this.#lines === 1 ? 'line' : 'lines'}`);
  }
}

/** Appends the current line and those behind it, as many as there is room for. `isLine`: the cutter is at a line that had none. */
function fill(
  batch: BatchBuilder,
  cutter: LineCutter,
  timestampMs: number,
): { readonly rejected: readonly RejectedRecord[]; readonly isLine: boolean } {
  const rejected: RejectedRecord[] = [];
  do {
    if (cutter.isTooLong) rejected.push(refusal(cutter));
    else if (!batch.appendSlice(cutter.bytes, cutter.start, cutter.end, timestampMs)) return { rejected, isLine: true };
  } while (cutter.next());
  return { rejected, isLine: false };
}

function refusal({ bytes, start, end, lineOffset, lineLength }: LineCutter): RejectedRecord {
  return {
    value: bytes.subarray(start, end),
    error: new SluiceError(
      'RECORD_TOO_LARGE',
      `reading a line of ${lineLength} bytes: the record limit is ${end - start}`,
    ),
    position: `stdin@${lineOffset}`,
  };
}
