import type { BatchBuilder, SourceContext } from '../api/index.ts';
import { MEMORY_WAIT_MS, outOfMemory, type HeldBody } from './body.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { GatheredRecords } from './gathered-records.ts';
import { Refusal } from './refusal.ts';
import { Spare } from './spare.ts';

export interface GatheringLimits {
  /** Of the values of one request's records. */
  readonly maxValueBytes: number;
  /** Of all that one request holds, its body included: what the budget can give at most. */
  readonly maxBytes: number;
}

/** How long a whole request waits for room in the topic before its client is told to come back. */
const ROOM_WAIT_MS = 1000;
const ROOM_CHECK_MS = 20;
const SPARE_READERS = 4;

/**
 * Makes batches of the bodies of requests whose records are written before they are appended. Records may repeat what a request says once: so what is gathered
 * counts against the budget as the body does, and has its limit.
 */
export class RequestGathering<Reader extends { readonly records: GatheredRecords }> {
  readonly #context: SourceContext;
  readonly #budget: ByteBudget;
  readonly #limits: GatheringLimits;
  readonly #readers: Spare<Reader>;

  constructor(options: {
    readonly context: SourceContext;
    readonly budget: ByteBudget;
    readonly limits: GatheringLimits;
    readonly createReader: () => Reader;
  }) {
    this.#context = options.context;
    this.#budget = options.budget;
    this.#limits = options.limits;
    this.#readers = new Spare(SPARE_READERS, options.createReader);
  }

  /** `read` gathers the records, in turns. Releases the body. Throws `Refusal`: nothing is left then. */
  async batchOf<Result>(
    body: HeldBody,
    read: (reader: Reader, bytes: Buffer) => Generator<void, Result>,
  ): Promise<{ readonly batch: BatchBuilder; readonly result: Result }> {
    const reader = this.#readers.take();
    const { records } = reader;
    const bodyBytes = body.bytes.length;
    let heldBytes = 0;
    try {
      const turns = read(reader, body.bytes);
      let turn = turns.next();
      for (; turn.done !== true; turn = turns.next()) {
        heldBytes += await this.#hold(records, heldBytes, bodyBytes);
        await otherTurns();
      }
      heldBytes += await this.#hold(records, heldBytes, bodyBytes);
      const batch = await roomFor(this.#context, records.batchBytes);
      for (const copying = records.appendTo(batch); copying.next().done !== true;) await otherTurns();
      return { batch, result: turn.value };
    } finally {
      body.release();
      if (heldBytes > 0) this.#budget.give(heldBytes);
      records.reset();
      this.#readers.give(reader);
    }
  }

  /** Takes the memory that was gathered since; returns how much that is. */
  async #hold(records: GatheredRecords, heldBytes: number, bodyBytes: number): Promise<number> {
    const { maxValueBytes, maxBytes } = this.#limits;
    const { batchBytes } = records;
    if (records.json.end > maxValueBytes || batchBytes + bodyBytes > maxBytes)
      throw new Refusal(413, `the records of this request are larger than ${maxValueBytes} bytes; send smaller ones`);
    const more = batchBytes - heldBytes;
    if (this.#budget.tryTake(more)) return more;
    if (await this.#budget.take(more, { clock: this.#context.clock, timeoutMs: MEMORY_WAIT_MS })) return more;
    throw outOfMemory();
  }
}

/** A batch with room for so many bytes. Throws 429 when there is none for a second. */
export async function roomFor(context: SourceContext, bytes: number): Promise<BatchBuilder> {
  const atOnce = context.tryBatch(bytes);
  if (atOnce !== null) return atOnce;
  const { clock } = context;
  const deadline = clock.monotonic() + ROOM_WAIT_MS;
  while (clock.monotonic() < deadline) {
    await clock.sleep(ROOM_CHECK_MS);
    const batch = context.tryBatch(bytes);
    if (batch !== null) return batch;
  }
  throw new Refusal(429, 'the topic takes no more input just now; send the request again later', {
    retryAfterSeconds: 1,
  });
}

export function otherTurns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
