import type { BatchBuilder } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { BlockEnd, BlockPlace } from './block.ts';
import { CutBlock, type CutBlockOptions } from './cut-block.ts';
import { NEXT_EVENT, type EventRules } from './multiline/event-rules.ts';
import { beginSkipping } from './skipping.ts';

export interface EventBlockOptions extends CutBlockOptions {
  readonly rules: EventRules;
  readonly maxLines: number;
  /** Of the value of an event of several lines. */
  readonly maxEventBytes: number;
}

/**
 * Lines that belong together, each event a record. `at` stays where an unfinished event begins, so that whoever is stopped within it reads it again; nothing that
 * decides where an event ends is kept from one block to the next.
 */
export class EventBlock extends CutBlock {
  readonly #options: EventBlockOptions;
  /** Where the next line is looked for. */
  #cursor: number;
  /** Of the open event; 0 when there is none. */
  #lines = 0;
  #state = 0;
  /** Behind the text of its last line, in the block. */
  #stop = 0;
  /** The same in the scratch, when the text is written anew. */
  #length = 0;
  /** Of the line that was found: its text is [start, stop) of these bytes. */
  #text: Buffer;
  #textStart = 0;
  #textStop = 0;

  constructor(file: TailedFile, bytes: Buffer, place: BlockPlace, options: EventBlockOptions) {
    super(file, bytes, place, options);
    this.#options = options;
    this.#text = bytes;
    this.#cursor = this.at;
  }

  takeInto(batch: BatchBuilder): BlockEnd | null {
    const cutter = this.cutter;
    const file = this.file;
    this.#cursor = this.at;
    this.#lines = 0;
    while (!file.isSkipping && this.from + this.#cursor < file.limit && cutter.find(this, this.#cursor)) {
      if (!this.#take(batch, cutter.next)) return null;
    }
    return this.#finish(batch);
  }

  #finish(batch: BatchBuilder): BlockEnd | null {
    const cutter = this.cutter;
    const file = this.file;
    const isAtEnd = this.end < this.bytes.length;
    const blockEnd = isAtEnd ? 'end' : 'more';
    if (this.from + this.#cursor >= file.limit) return this.#flush(batch) ? 'end' : null;
    const hasRest = !file.isSkipping && this.end > this.#cursor;
    if (hasRest && this.writer.isTooLong(cutter)) {
      if (!this.#takeLong(batch)) return null;
      this.at = this.#cursor = beginSkipping(file, this, cutter);
      return blockEnd;
    }
    const isLeft = isAtEnd && cutter.isLeft(file);
    if (hasRest && isLeft && !this.#take(batch, this.end)) return null;
    const isOver = isLeft || (isAtEnd && file.isQuiet) || this.#isFull();
    if (isOver && !this.#flush(batch)) return null;
    this.isTooSmall = !isAtEnd && !file.isSkipping && this.at === this.start;
    return blockEnd;
  }

  /** The line that is not whole yet will not fit, whatever is still to come of it. */
  #isFull(): boolean {
    const { form, maxEventBytes } = this.#options;
    return this.#lines > 0 && this.end - this.at - this.cutter.overhead > maxEventBytes * form.width;
  }

  /** The line that the cutter found, behind which `next` stands. False when the batch is full. */
  #take(batch: BatchBuilder, next: number): boolean {
    const { rules, maxLines, maxEventBytes, max } = this.#options;
    const { start, stop } = this.cutter;
    if (stop - start > this.writer.maxFileBytes) return this.#takeLong(batch) && this.#goOn(next);
    let state = this.#stateBehind(start, stop);
    if (state === NEXT_EVENT || this.#textStop - this.#eventStart() > maxEventBytes || this.#lines === 0) {
      if (!this.#flush(batch)) return false;
      this.#readText(start, stop);
      if (this.#textStop - this.#textStart > max) return this.#takeLong(batch) && this.#goOn(next);
      state = rules.begin(this.#text, this.#textStart, this.#textStop);
    }
    this.#lines++;
    this.#state = state;
    this.#stop = stop;
    this.#length = this.#textStop;
    this.#cursor = next;
    return rules.isLast(state) || this.#lines === maxLines ? this.#flush(batch) : true;
  }

  /** Reads the line as one more of the open event. */
  #stateBehind(start: number, stop: number): number {
    if (this.#lines === 0) return NEXT_EVENT;
    this.#readText(start, stop);
    return this.#options.rules.next(this.#state, this.#text, this.#textStart, this.#textStop);
  }

  /** Line ends within an event stay as they are: they are text of it. */
  #readText(start: number, stop: number): void {
    const { form, scratch } = this.#options;
    if (form.transcode === null) {
      this.#textStart = start;
      this.#textStop = stop;
      return;
    }
    const from = this.#lines === 0 ? start : this.#stop;
    const at = this.#lines === 0 ? 0 : this.#length;
    const bytes = scratch.more(form, at, stop - from);
    this.#textStart = form.transcode(this.bytes, from, start, bytes, at);
    this.#textStop = form.transcode(this.bytes, start, stop, bytes, this.#textStart);
    this.#text = bytes;
  }

  #eventStart(): number {
    return this.#options.form.transcode === null ? this.at : 0;
  }

  /** The open event is over: it is a record. False when the batch is full. */
  #flush(batch: BatchBuilder): boolean {
    if (this.#lines === 0) return true;
    const isPlain = this.#options.form.transcode === null;
    const bytes = isPlain ? this.bytes : this.#options.scratch.bytes;
    const stop = isPlain ? this.#stop : this.#length;
    if (!this.writer.append(batch, this.at, bytes, this.#eventStart(), stop)) return false;
    this.#lines = 0;
    this.at = this.#cursor;
    return true;
  }

  /** A line that is too long is none of any event. */
  #takeLong(batch: BatchBuilder): boolean {
    const { start, stop } = this.cutter;
    return this.#flush(batch) && this.writer.appendLong(batch, this.at, start, stop);
  }

  #goOn(next: number): true {
    this.at = this.#cursor = next;
    return true;
  }
}
