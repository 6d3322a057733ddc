import type { Clock, Logger } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { Block, BlockPlace } from './block.ts';
import { createCutter } from './cutter.ts';
import { textFormOf } from './encoding.ts';
import { FrameBlock } from './frame-block.ts';
import { Labels } from './labels.ts';
import { LineBlock } from './line-block.ts';
import { SkippedRecords } from './long-records.ts';
import { Scratch } from './scratch.ts';
import type { FramingSettings } from './settings.ts';

/** What may stand beside a value: a length, or a line end of two units. */
const MOST_OVERHEAD_BYTES = 4;

/** How the bytes of files become records. */
export class Framing {
  readonly #settings: FramingSettings;
  readonly #labels: Labels;
  readonly #skipped: SkippedRecords;
  readonly #scratch = new Scratch();
  readonly #isPlain: boolean;

  constructor(settings: FramingSettings, { log, clock }: { readonly log: Logger; readonly clock: Clock }) {
    this.#settings = settings;
    this.#labels = new Labels(settings);
    this.#skipped = new SkippedRecords(log, clock);
    const { framing, encoding, onLongLine } = settings;
    const isAsItStands = encoding === 'utf-8' || encoding === 'raw';
    this.#isPlain = framing === 'lines' && isAsItStands && onLongLine === 'dead_letter' && !this.#labels.hasOffset;
  }

  /** After so long without a change what is there counts as whole. */
  get completeAfterMs(): number {
    return this.#settings.framing === 'file' ? this.#settings.completeAfterMs : Infinity;
  }

  /** Bytes of a file that have to be seen at once, to tell that a record is too long. */
  longestBytes(maxRecordBytes: number): number {
    const { encoding, maxLineBytes } = this.#settings;
    const width = encoding.startsWith('utf-16') ? 2 : 1;
    return width * Math.min(maxRecordBytes, maxLineBytes) + MOST_OVERHEAD_BYTES + 1;
  }

  open(file: TailedFile, bytes: Buffer, place: BlockPlace): Block {
    const { keepsCarriageReturn, maxLineBytes, onLongLine } = this.#settings;
    const fileLabels = this.#labels.of(file);
    const max = Math.min(maxLineBytes, place.max - fileLabels.byteLength);
    const form = textFormOf(this.#settings.encoding, file.head);
    if (this.#isPlain) {
      const { headers } = fileLabels;
      return new LineBlock(file, bytes, place, { keepsCarriageReturn, headers, max, markBytes: form.markBytes });
    }
    const cutter = createCutter(this.#settings, form);
    return new FrameBlock(file, bytes, place, {
      ...{ cutter, form, max, onLongLine, fileLabels },
      ...{ labels: this.#labels, skipped: this.#skipped, scratch: this.#scratch },
    });
  }

  /** Gives back the memory that a long record took. */
  trim(): void {
    this.#scratch.trim();
  }
}
