import { SluiceError } from '../api/index.ts';

/** How a record ends. Nothing else lets the watermark pass it; `dead_lettered` only once the dead letter is durable. */
export type Outcome = 'delivered' | 'dead_lettered' | 'dropped';

/** `read` is always the sum of the others and of what is unfinished. */
export interface Tally {
  readonly read: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly returned: number;
}

/** Offsets that were read together: `records` of [from, next), the rest are gaps (control batches, compacted records). */
export interface ReadSpan<Owner> {
  readonly from: number;
  readonly next: number;
  readonly records: { readonly count: number; offset(index: number): number };
  /** Told to `onSpanDone` when the last record of the span is terminal: its buffer is free. */
  readonly owner: Owner;
}

interface Span<Owner> {
  readonly next: number;
  unfinished: number;
  readonly owner: Owner;
}

/**
 * Decides what may be committed of one assignment of a topic partition to a sink, and nothing else does. The committed prefix ends before the first offset
 * that is not terminal. A later assignment is another instance; acknowledgements that come late to a closed one, or twice, change nothing.
 */
export class Watermark<Owner = undefined> {
  readonly #needsFlush: boolean;
  readonly #onSpanDone: (owner: Owner) => void;
  #settled: number;
  #confirmed: number;
  #readTo: number;
  #deliveredTo: number;
  #closed = false;
  // Terminal stretches above the settled prefix, from `#head` on, ascending, never touching each other.
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #head = 0;
  readonly #spans: Span<Owner>[] = [];
  readonly #tally = { read: 0, delivered: 0, deadLettered: 0, dropped: 0, returned: 0 };

  /** `needsFlush`: delivered records may be committed only below a `next` that `confirm` was told. */
  constructor(options: { from: number; needsFlush?: boolean; onSpanDone?: (owner: Owner) => void }) {
    this.#needsFlush = options.needsFlush ?? false;
    this.#onSpanDone = options.onSpanDone ?? (() => undefined);
    this.#settled = this.#confirmed = this.#readTo = this.#deliveredTo = options.from;
  }

  /** Below it everything is terminal. */
  get settled(): number {
    return this.#settled;
  }

  /** The next offset that may be saved now. */
  get committable(): number {
    return this.#needsFlush && this.#deliveredTo > this.#confirmed ? this.#confirmed : this.#settled;
  }

  /** The number after the last one read. */
  get readTo(): number {
    return this.#readTo;
  }

  /** Nothing was delivered above `settled`: what a flush makes durable now is exactly the prefix. */
  get even(): boolean {
    return this.#deliveredTo <= this.#settled;
  }

  get unfinished(): number {
    const { read, delivered, deadLettered, dropped, returned } = this.#tally;
    return read - delivered - deadLettered - dropped - returned;
  }

  get tally(): Tally {
    return this.#tally;
  }

  begin(span: ReadSpan<Owner>): void {
    const { from, next, records } = span;
    if (from < this.#readTo || next < from) {
      throw new SluiceError('LOG_CORRUPT', `reading offsets ${from} to ${next}: expected them from ${this.#readTo} on`);
    }
    if (this.#closed) {
      this.#onSpanDone(span.owner);
      return;
    }
    const gapFrom = this.#readTo;
    this.#readTo = next;
    this.#tally.read += records.count;
    this.#spans.push({ next, unfinished: records.count, owner: span.owner });
    if (next - gapFrom !== records.count) this.#passGaps(gapFrom, next, records);
    if (records.count === 0) this.#dropDoneSpans();
  }

  /** All records with offsets in [first, end) are terminal. Returns how many of them were not before. */
  finish(first: number, end: number, outcome: Outcome): number {
    const from = Math.max(first, this.#settled);
    const to = Math.min(end, this.#readTo);
    if (this.#closed || from >= to) return 0;
    const finished = this.#cover(from, to, true);
    if (outcome === 'delivered') {
      this.#tally.delivered += finished;
      if (finished > 0) this.#deliveredTo = Math.max(this.#deliveredTo, to);
    } else if (outcome === 'dead_lettered') this.#tally.deadLettered += finished;
    else this.#tally.dropped += finished;
    this.#dropDoneSpans();
    return finished;
  }

  /** The sink has made everything below `next` durable. */
  confirm(next: number): void {
    if (!this.#closed) this.#confirmed = Math.max(this.#confirmed, Math.min(next, this.#settled));
  }

  /** The assignment is over: unfinished records are handed back, whatever is acknowledged from now on is ignored. */
  close(): void {
    if (this.#closed) return;
    this.#tally.returned = this.unfinished;
    this.#closed = true;
    for (const span of this.#spans.splice(0)) this.#onSpanDone(span.owner);
  }

  #passGaps(from: number, next: number, records: ReadSpan<Owner>['records']): void {
    let expected = from;
    for (let index = 0; index < records.count; index++) {
      const offset = records.offset(index);
      if (offset > expected) this.#cover(expected, offset, false);
      expected = offset + 1;
    }
    if (next > expected) this.#cover(expected, next, false);
  }

  // Adds [from, to) to the terminal stretches, from >= settled; returns how many numbers were not in them.
  #cover(from: number, to: number, areRecords: boolean): number {
    if (this.#starts.length === this.#head && from === this.#settled) {
      this.#settled = to;
      if (areRecords) this.#subtract(from, to);
      return to - from;
    }
    const first = this.#firstEndingAtOrAfter(from);
    let added = 0;
    let cursor = from;
    let index = first;
    for (; index < this.#starts.length && this.#starts[index]! <= to; index++) {
      if (this.#starts[index]! > cursor) {
        added += this.#starts[index]! - cursor;
        if (areRecords) this.#subtract(cursor, this.#starts[index]!);
      }
      cursor = Math.max(cursor, this.#ends[index]!);
    }
    if (cursor < to) {
      added += to - cursor;
      if (areRecords) this.#subtract(cursor, to);
    }
    const start = index > first ? Math.min(from, this.#starts[first]!) : from;
    const end = Math.max(to, cursor);
    if (start <= this.#settled) {
      this.#settled = end;
      this.#removeHead(index - first);
    } else {
      this.#starts.splice(first, index - first, start);
      this.#ends.splice(first, index - first, end);
    }
    return added;
  }

  // The array is cut seldom: cutting it each time would make a long row of stretches quadratic.
  #removeHead(count: number): void {
    this.#head += count;
    if (this.#head < 1024 || this.#head < this.#starts.length / 2) return;
    this.#starts.splice(0, this.#head);
    this.#ends.splice(0, this.#head);
    this.#head = 0;
  }

  #firstEndingAtOrAfter(offset: number): number {
    let low = this.#head;
    let high = this.#ends.length;
    // Acknowledgements come mostly in order: the end of the last stretch is the usual answer.
    if (high > low && this.#ends[high - 1]! < offset) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #subtract(from: number, to: number): void {
    let cursor = from;
    for (let index = 0; cursor < to && index < this.#spans.length; index++) {
      const span = this.#spans[index]!;
      if (span.next <= cursor) continue;
      const end = Math.min(to, span.next);
      span.unfinished -= end - cursor;
      cursor = end;
    }
  }

  #dropDoneSpans(): void {
    for (let index = 0; index < this.#spans.length;) {
      const span = this.#spans[index]!;
      if (span.unfinished > 0) index++;
      else {
        this.#spans.splice(index, 1);
        this.#onSpanDone(span.owner);
      }
    }
  }
}
