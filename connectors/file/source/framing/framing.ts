import { isAscii, isUtf8 } from 'node:buffer';
import type { Clock, Logger } from 'sluice/api';
import type { FileWaits, TailedFile } from '../tailed-file.ts';
import type { Block, BlockPlace } from './block.ts';
import { createCutter } from './cutter.ts';
import { textFormOf } from './encoding.ts';
import { EventBlock } from './event-block.ts';
import { FrameBlock } from './frame-block.ts';
import { Labels } from './labels.ts';
import { LineBlock } from './line-block.ts';
import { SkippedRecords } from './long-records.ts';
import type { EventRules } from './multiline/event-rules.ts';
import { PatternRules } from './multiline/pattern-rules.ts';
import { presets } from './multiline/presets.ts';
import { TraceRules } from './multiline/trace-rules.ts';
import { Scratch } from './scratch.ts';
import type { FramingSettings, MultilineSettings } from './settings.ts';

/** What may stand beside a value: a length, or a line end of two units. */
const MOST_OVERHEAD_BYTES = 4;

/** How the bytes of files become records. */
export class Framing {
  readonly #settings: FramingSettings;
  readonly #labels: Labels;
  readonly #skipped: SkippedRecords;
  readonly #scratch = new Scratch();
  readonly #isPlain: boolean;
  /** Of a code unit. */
  readonly #width: 1 | 2;
  readonly #rules: EventRules | null;

  constructor(settings: FramingSettings, { log, clock }: { readonly log: Logger; readonly clock: Clock }) {
    this.#settings = settings;
    this.#labels = new Labels(settings);
    this.#width = settings.encoding.startsWith('utf-16') ? 2 : 1;
    this.#skipped = new SkippedRecords(log, clock);
    this.#rules = settings.multiline === null ? null : rulesOf(settings.multiline);
    const { framing, onLongLine } = settings;
    const isOneByOne = this.#rules === null && framing === 'lines' && onLongLine === 'dead_letter';
    this.#isPlain = isOneByOne && !this.#labels.hasOffset;
  }

  /** When files count as finished that nobody writes any more. */
  get waits(): FileWaits {
    const { framing, completeAfterMs, multiline } = this.#settings;
    const isWhole = framing === 'file';
    return { isWhole, quietAfterMs: isWhole ? completeAfterMs : (multiline?.timeoutMs ?? Infinity) };
  }

  /** Lines of text do not begin with NUL. */
  get isText(): boolean {
    return this.#settings.framing === 'lines' && this.#settings.encoding !== 'raw';
  }

  /** Where the code unit begins that the byte at `offset` is of. */
  unitAt(offset: number): number {
    return this.#width === 2 ? offset - (offset % 2) : offset;
  }

  /** Bytes of a file that have to be seen at once, to tell that a record is too long. */
  longestBytes(maxRecordBytes: number): number {
    const { maxLineBytes, multiline } = this.#settings;
    const longest = multiline === null ? maxLineBytes : Math.max(maxLineBytes, multiline.maxBytes);
    return this.#width * Math.min(maxRecordBytes, longest) + MOST_OVERHEAD_BYTES + 1;
  }

  open(file: TailedFile, bytes: Buffer, place: BlockPlace): Block {
    const { keepsCarriageReturn, maxLineBytes, onLongLine, multiline } = this.#settings;
    const fileLabels = this.#labels.of(file);
    const maxValueBytes = place.max - fileLabels.byteLength;
    const max = Math.min(maxLineBytes, maxValueBytes);
    const form = textFormOf(this.#settings.encoding, file.head);
    const isAsItStands =
      form.transcode === null || (form.width === 1 && isAscii(bytes.subarray(place.start, place.end)));
    const hasWrongText = this.#labels.marksErrors && !isUtf8(bytes.subarray(place.start, place.end));
    if (isAsItStands && this.#isPlain && !hasWrongText) {
      const { headers } = fileLabels;
      return new LineBlock(file, bytes, place, { keepsCarriageReturn, headers, max, markBytes: form.markBytes });
    }
    const options = {
      ...{ cutter: createCutter(this.#settings, form), max, onLongLine, fileLabels },
      form: isAsItStands ? { ...form, transcode: null } : form,
      ...{ labels: this.#labels, skipped: this.#skipped, scratch: this.#scratch, timestamp: place.timestamp },
      hasWrongText,
    };
    if (this.#rules === null) return new FrameBlock(file, bytes, place, options);
    const { maxLines, maxBytes } = multiline!;
    const maxEventBytes = Math.min(maxBytes, maxValueBytes);
    return new EventBlock(file, bytes, place, { ...options, rules: this.#rules, maxLines, maxEventBytes });
  }

  /** Gives back the memory that a long record took. */
  trim(): void {
    this.#scratch.trim();
  }
}

function rulesOf({ preset, patterns }: MultilineSettings): EventRules {
  return preset === null ? new PatternRules(patterns) : new TraceRules(presets[preset]);
}
