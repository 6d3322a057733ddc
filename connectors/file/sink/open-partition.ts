import { join } from 'node:path';
import type { TopicPartition } from 'sluice/api';
import type { Content } from './content/content.ts';
import { sequenceName } from './manifest.ts';
import type { PartFile } from './open-files.ts';

/** What is being written of one topic partition: its files all close together. */
export class OpenPartition {
  readonly target: TopicPartition;
  readonly reset: number;
  /** Of the next manifest. */
  sequence: number;
  /** The `next` of the manifest before. */
  first: number;
  records = 0;
  /** Monotonic times of the first and the last write since the last manifest. */
  since = 0;
  lastWrite = 0;
  isFlushRequested = false;
  readonly #files = new Map<string, PartFile>();
  readonly #content: Content;
  readonly #tempPath: (sequence: number, number: number) => string;
  #tempNumber = 0;

  constructor(options: {
    target: TopicPartition;
    reset: number;
    sequence: number;
    first: number;
    content: Content;
    tempPath: (sequence: number, number: number) => string;
  }) {
    this.target = options.target;
    this.reset = options.reset;
    this.sequence = options.sequence;
    this.first = options.first;
    this.#content = options.content;
    this.#tempPath = options.tempPath;
  }

  get files(): IterableIterator<PartFile> {
    return this.#files.values();
  }

  get fileCount(): number {
    return this.#files.size;
  }

  get hasRecords(): boolean {
    return this.records > 0;
  }

  /** The file in `folder` (relative to the sink's; empty for the sink's own) that takes what comes next. */
  fileIn(folder: string): PartFile {
    const known = this.#files.get(folder);
    if (known !== undefined) return known;
    const file: PartFile = {
      temp: this.#tempPath(this.sequence, ++this.#tempNumber),
      path: join(folder, sequenceName(this.target, this.sequence) + this.#content.ending),
      length: 0,
      checksum: 0,
      reach: 0,
      isCreated: false,
      body: this.#content.begin?.() ?? null,
    };
    this.#files.set(folder, file);
    return file;
  }

  /** After a manifest: nothing is open any more. */
  begin(sequence: number, first: number): void {
    this.sequence = sequence;
    this.first = first;
    this.records = 0;
    this.isFlushRequested = false;
    this.#files.clear();
    this.#tempNumber = 0;
  }
}
