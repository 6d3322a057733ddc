import {
  SluiceError,
  type AssignedPartition,
  type Failure,
  type RecordBatch,
  type Sink,
  type SinkContext,
  type Template,
  type TopicPartition,
  type WriteResult,
} from 'sluice/api';
import { basename } from 'node:path';
import type { Content, FileBody } from './sink/content/content.ts';
import { fileError } from './sink/errors.ts';
import { Layout, type Addition } from './sink/layout.ts';
import type { Manifest, ManifestFile } from './sink/manifest.ts';
import { count, OpenFiles, type PartFile } from './sink/open-files.ts';
import { OpenPartition } from './sink/open-partition.ts';
import { Publisher } from './sink/publisher.ts';
import type { Storage } from './sink/storage.ts';

export interface FileSinkSettings {
  readonly path: Template;
  readonly content: Content;
  /** Bytes, milliseconds, records: whatever comes first. */
  readonly roll: { readonly size: number; readonly age: number; readonly idle: number; readonly records: number };
  readonly maxOpenFiles: number;
}

/** A manifest lists no more files than this, roughly: a template with many values would otherwise grow it without end. */
const MAX_FILES_AT_ONCE = 1000;

/** Bytes that all files together gather before blocks become smaller than they should be. */
const MAX_GATHERED = 32 << 20;

/** Writes records into temps and publishes them by manifest: each record is in exactly one published file, whatever is killed when. */
export class FileSink implements Sink {
  readonly #settings: FileSinkSettings;
  readonly #context: SinkContext;
  readonly #publisher: Publisher;
  readonly #files: OpenFiles;
  readonly #layout: Layout;
  readonly #partitions = new Map<string, OpenPartition>();
  readonly #closing = new AbortController();
  #isWatching = false;
  #published = 0;
  /** By all files, in bytes. */
  #gathered = 0;

  constructor(settings: FileSinkSettings, context: SinkContext, storage: Storage) {
    this.#settings = settings;
    this.#context = context;
    this.#files = new OpenFiles(storage, settings.maxOpenFiles);
    this.#publisher = new Publisher({ storage, folder: settings.path.prefix, hubId: context.hubId });
    this.#layout = new Layout(settings);
  }

  async assigned(partitions: readonly AssignedPartition[]): Promise<readonly (TopicPartition & { next: number })[]> {
    await this.revoked(partitions);
    try {
      const names = await this.#publisher.open();
      const found: (TopicPartition & { next: number })[] = [];
      for (const partition of partitions) found.push(...(await this.#recover(partition, names)));
      return found;
    } catch (error) {
      throw fileError(error, `opening the folder "${this.#settings.path.prefix}"`);
    }
  }

  async write(batch: RecordBatch): Promise<WriteResult> {
    const { additions, failures } = this.#layout.place(batch, (run) => this.#partition(run));
    try {
      for (const { file, bytes } of additions) {
        const { body } = file;
        if (body === null) await this.#files.write(file, bytes);
        else if (body.gathered >= Math.min(body.block, this.#settings.roll.size)) await this.#writeBlock(file, body);
      }
      await this.#makeRoom();
    } catch (error) {
      // Nothing counts yet: the next attempt writes over what is there.
      return { batch: asFailure(fileError(error, `writing files in "${this.#settings.path.prefix}"`)) };
    }
    for (const addition of additions) this.#count(addition);
    this.#watch();
    return { failures };
  }

  async flush(targets: readonly (TopicPartition & { readonly next: number })[]): Promise<void> {
    // All of them are waited for: what failed is begun anew only when nothing of the old is under way any more.
    const results = await Promise.allSettled(targets.map((target) => this.#publish(target)));
    this.#context.report(`${this.#published} ${this.#published === 1 ? 'file' : 'files'} published`);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw fileError(failed.reason, `publishing files in "${this.#settings.path.prefix}"`);
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    for (const target of partitions) {
      const partition = this.#partitions.get(keyOf(target));
      if (partition === undefined) continue;
      this.#partitions.delete(keyOf(target));
      for (const file of partition.files) {
        this.#gathered -= file.body?.gathered ?? 0;
        await this.#files.discard(file);
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.revoked([...this.#partitions.values()].map(({ target }) => target));
  }

  async #recover(target: AssignedPartition, names: readonly string[]): Promise<(TopicPartition & { next: number })[]> {
    const manifest = await this.#publisher.recover(target, names);
    const { topic, partition, incarnation, committed, reset } = target;
    const isReset = manifest !== null && reset > manifest.reset;
    const next = isReset ? committed : Math.max(manifest?.next ?? 0, committed ?? 0);
    const open = new OpenPartition({
      target: { topic, partition, incarnation },
      reset,
      sequence: (manifest?.sequence ?? 0) + 1,
      // An operator's reset begins a new chain; otherwise a manifest goes on where the one before ended.
      first: manifest === null || isReset ? (next ?? 0) : manifest.next,
      content: this.#settings.content,
      tempPath: (sequence, number) => this.#publisher.tempPath(target, sequence, number),
    });
    this.#partitions.set(keyOf(target), open);
    return next === null ? [] : [{ topic, partition, incarnation, next }];
  }

  #partition(run: TopicPartition): OpenPartition {
    const partition = this.#partitions.get(keyOf(run));
    if (partition !== undefined) return partition;
    throw new SluiceError(
      'CONNECTOR_BUG',
      `writing records of partition ${run.partition} of "${run.topic}", which was not assigned`,
    );
  }

  #count(addition: Addition): void {
    const { clock } = this.#context;
    const { roll } = this.#settings;
    const { file, partition, records } = addition;
    if (file.body === null) count(file, addition.bytes);
    else this.#gather(file.body, addition);
    partition.lastWrite = clock.monotonic();
    if (!partition.hasRecords) partition.since = partition.lastWrite;
    partition.records += records;
    const isFull = file.length >= roll.size || partition.records >= roll.records;
    if (isFull || partition.fileCount >= MAX_FILES_AT_ONCE) this.#requestFlush(partition);
  }

  #gather(body: FileBody, addition: Addition): void {
    const before = body.gathered;
    body.add(addition);
    this.#gathered += body.gathered - before;
  }

  async #writeBlock(file: PartFile, body: FileBody): Promise<void> {
    const { gathered } = body;
    await this.#files.writeBlock(file, body);
    this.#gathered -= gathered;
  }

  /** Many files that gather a little each: the largest blocks go first. */
  async #makeRoom(): Promise<void> {
    if (this.#gathered <= MAX_GATHERED) return;
    const waiting: { file: PartFile; body: FileBody }[] = [];
    for (const partition of this.#partitions.values())
      for (const file of partition.files) if (file.body !== null) waiting.push({ file, body: file.body });
    waiting.sort((a, b) => b.body.gathered - a.body.gathered);
    for (const { file, body } of waiting) {
      if (this.#gathered <= MAX_GATHERED / 2) return;
      await this.#writeBlock(file, body);
    }
  }

  #requestFlush(partition: OpenPartition): void {
    if (partition.isFlushRequested) return;
    partition.isFlushRequested = true;
    this.#context.requestFlush([partition.target]);
  }

  async #publish({ next, ...target }: TopicPartition & { readonly next: number }): Promise<void> {
    const partition = this.#partition(target);
    partition.isFlushRequested = false;
    // Records that were dropped or refused need no manifest.
    if (!partition.hasRecords) return;
    const files: ManifestFile[] = [];
    for (const file of partition.files) {
      const gathered = file.body?.gathered ?? 0;
      if (file.length === 0 && gathered === 0) {
        await this.#files.discard(file);
        continue;
      }
      await this.#files.finish(file);
      this.#gathered -= gathered;
      files.push({ path: file.path, temp: basename(file.temp), length: file.length, crc32: file.checksum });
    }
    const { sequence, reset, first } = partition;
    const manifest: Manifest = { version: 1, sequence, reset, first, next, files };
    await this.#publisher.commit(partition.target, manifest);
    this.#published += files.length;
    partition.begin(sequence + 1, next);
  }

  /** Asks for a flush of what is old or idle, as long as something is open. */
  #watch(): void {
    if (this.#isWatching || this.#closing.signal.aborted) return;
    this.#isWatching = true;
    // It ends by the signals only, and then the sink is at its end.
    this.#watchUntilClean().catch(() => undefined);
  }

  async #watchUntilClean(): Promise<void> {
    const { clock, signal } = this.#context;
    const { roll } = this.#settings;
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    for (;;) {
      const now = clock.monotonic();
      let next = Infinity;
      for (const partition of this.#partitions.values()) {
        if (!partition.hasRecords || partition.isFlushRequested) continue;
        const due = Math.min(partition.since + roll.age, partition.lastWrite + roll.idle);
        if (due <= now) this.#requestFlush(partition);
        else next = Math.min(next, due);
      }
      if (next === Infinity) {
        this.#isWatching = false;
        return;
      }
      await clock.sleep(Math.max(1, next - now), ended);
    }
  }
}

function keyOf({ topic, incarnation, partition }: TopicPartition): string {
  return `${topic}+${incarnation}+${partition}`;
}

function asFailure(error: SluiceError): Failure {
  return { disposition: error.retryable ? 'retry' : 'block', error };
}
