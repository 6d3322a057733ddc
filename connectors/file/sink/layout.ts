import { relative } from 'node:path';
import { SluiceError, type RecordBatch, type RecordFailure, type Template } from 'sluice/api';
import { JsonLine } from 'sluice/codec';
import { NOTHING, type Content, type LineContent, type RowContent } from './content/content.ts';
import { isInside } from './manifest.ts';
import type { OpenPartition } from './open-partition.ts';
import type { PartFile } from './open-files.ts';

/** What a batch adds to one file. */
export interface Addition {
  readonly file: PartFile;
  readonly partition: OpenPartition;
  /** Lines. Valid until the next batch is laid out. */
  bytes: Uint8Array;
  /** Or what records became, of values with so many bytes. */
  readonly rows: unknown[];
  size: number;
  records: number;
}

interface Slot extends Addition {
  start: number;
  at: number;
  room: number;
}

const LINE_FEED = 0x0a;
const MAX_KNOWN_FOLDERS = 10_000;
const NULL_TEXT = Buffer.from('null');

/**
 * Lays the records of a batch out as lines, those of a file side by side, in one buffer that is used again: no object per record. Contents of rows
 * decode each record.
 */
export class Layout {
  readonly #path: Template;
  readonly #content: Content;
  readonly #json = new JsonLine();
  readonly #slots: Slot[] = [];
  readonly #placeOf = new Map<PartFile, number>();
  /** Rendered paths that were found good, and their folders. */
  readonly #folders = new Map<string, string>();
  #places = new Int32Array(1024);
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #failures: RecordFailure[] = [];

  constructor(options: { path: Template; content: Content }) {
    this.#path = options.path;
    this.#content = options.content;
  }

  /** `partitionOf` is asked once per run. What is refused is in no addition. */
  place(
    batch: RecordBatch,
    partitionOf: (run: RecordBatch['runs'][number]) => OpenPartition,
  ): { readonly additions: readonly Addition[]; readonly failures: readonly RecordFailure[] } {
    this.#slots.length = 0;
    this.#placeOf.clear();
    this.#failures = [];
    if (this.#places.length < batch.count) this.#places = new Int32Array(batch.count * 2);
    for (const run of batch.runs) {
      const partition = partitionOf(run);
      if (this.#path.constant === null) this.#placeByTemplate(batch, run, partition);
      else this.#placeInOneFile(batch, run, partition);
    }
    if (this.#content.kind === 'rows') this.#gatherRows(batch, this.#content);
    else this.#copyLines(batch, this.#content);
    return { additions: this.#slots.filter(({ records }) => records > 0), failures: this.#failures };
  }

  #placeInOneFile(batch: RecordBatch, run: RecordBatch['runs'][number], partition: OpenPartition): void {
    const place = this.#slotFor(partition, '');
    const end = run.first + run.count;
    let room = 0;
    for (let index = run.first; index < end; index++) room += roomFor(batch.valueLength(index));
    this.#places.fill(place, run.first, end);
    this.#slots[place]!.room += room;
  }

  #placeByTemplate(batch: RecordBatch, run: RecordBatch['runs'][number], partition: OpenPartition): void {
    let lastFolder: string | null = null;
    let place = -1;
    for (let index = run.first; index < run.first + run.count; index++) {
      const folder = this.#folderOf(batch, index);
      if (folder !== null && folder !== lastFolder) {
        place = this.#slotFor(partition, folder);
        lastFolder = folder;
      }
      this.#places[index] = folder === null ? -1 : place;
      if (folder !== null) this.#slots[place]!.room += roomFor(batch.valueLength(index));
    }
  }

  /** Relative to the sink's folder; null when the record was refused for it. */
  #folderOf(batch: RecordBatch, index: number): string | null {
    try {
      const path = this.#path.render(batch, index);
      return this.#folders.get(path) ?? this.#checkFolder(path);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#failures.push({ index, disposition: 'reject', error });
      return null;
    }
  }

  #checkFolder(path: string): string {
    const folder = relativeFolder(this.#path.prefix, path);
    if (folder === null) {
      const doing = `rendering the path of a file: ${quoted(path)} is no folder below "${this.#path.prefix}"`;
      throw new SluiceError('TEMPLATE_ESCAPED', doing);
    }
    if (this.#folders.size >= MAX_KNOWN_FOLDERS) this.#folders.clear();
    this.#folders.set(path, folder);
    return folder;
  }

  #slotFor(partition: OpenPartition, folder: string): number {
    const file = partition.fileIn(folder);
    const known = this.#placeOf.get(file);
    if (known !== undefined) return known;
    const place =
      this.#slots.push({ file, partition, bytes: NOTHING, rows: [], size: 0, records: 0, start: 0, at: 0, room: 0 }) -
      1;
    this.#placeOf.set(file, place);
    return place;
  }

  #reserve(): void {
    let total = 0;
    for (const slot of this.#slots) {
      slot.start = slot.at = total;
      total += slot.room;
    }
    if (total > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(Math.ceil(total * 1.25));
  }

  #gatherRows(batch: RecordBatch, content: RowContent): void {
    for (let index = 0; index < batch.count; index++) {
      const place = this.#places[index]!;
      if (place < 0) continue;
      const slot = this.#slots[place]!;
      try {
        content.addTo(slot.rows, batch, index);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        this.#failures.push({ index, disposition: 'reject', error });
        continue;
      }
      slot.size += Math.max(0, batch.valueLength(index)) + 1;
      slot.records++;
    }
  }

  #copyLines(batch: RecordBatch, { isJson }: LineContent): void {
    this.#reserve();
    const bytes = this.#bytes;
    for (let index = 0; index < batch.count; index++) {
      const place = this.#places[index]!;
      if (place < 0) continue;
      const slot = this.#slots[place]!;
      let end = batch.copyValue(index, bytes, slot.at);
      if (isJson) {
        if (batch.valueLength(index) < 0) end = slot.at + NULL_TEXT.copy(bytes, slot.at);
        bytes[end] = LINE_FEED;
        const fault = this.#json.check(bytes, slot.at, end);
        if (fault >= 0) {
          this.#failures.push({ index, disposition: 'reject', error: notJson(bytes, { start: slot.at, fault, end }) });
          continue;
        }
      }
      if (isJson || end === slot.at || bytes[end - 1] !== LINE_FEED) bytes[end++] = LINE_FEED;
      slot.at = end;
      slot.records++;
    }
    for (const slot of this.#slots) slot.bytes = bytes.subarray(slot.start, slot.at);
  }
}

/** A value and its line feed; the word null takes more than no value. */
function roomFor(valueLength: number): number {
  return valueLength < 0 ? NULL_TEXT.length + 1 : valueLength + 1;
}

function relativeFolder(base: string, path: string): string | null {
  if (path === base) return '';
  // `relative` would tidy up what must be refused.
  if (!path.startsWith(`${base}/`) && base !== '/') return null;
  const inside = path.slice(base === '/' ? 1 : base.length + 1);
  return isInside(inside) && relative(base, path) === inside ? inside : null;
}

function notJson(bytes: Buffer, { start, fault, end }: { start: number; fault: number; end: number }): SluiceError {
  const place = start + fault;
  const found =
    place >= end
      ? 'it ends too early'
      : `there is ${quoted(bytes.toString('latin1', place, Math.min(end, place + 12)))}`;
  return new SluiceError('SINK_REJECTED', `writing NDJSON: the value is not JSON: at byte ${fault} ${found}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
