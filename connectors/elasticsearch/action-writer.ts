import { isUtf8 } from 'node:buffer';
import { SluiceError, type Expression, type RecordBatch, type Template } from 'sluice/api';
import type { ByteWriter } from 'sluice/codec';
import type { RoutingMember } from './routing-member.ts';

/** Elasticsearch refuses longer ids, and with one of them the whole request. */
const MAX_ID_BYTES = 512;
const MAX_VERSION = 2n ** 63n - 1n;
const QUOTE_END = Buffer.from('"}}\n');
export const END = Buffer.from('}}\n');
const NOTHING = Buffer.alloc(0);
/** With any other name in its path a request could be refused as a whole, for the sake of one record. */
const HARMLESS_NAME = /^[a-z0-9][a-z0-9._-]{0,199}$/;
const OPENING = Buffer.from('{"create":{');
export const ID = Buffer.from('"_id":');
export const DELETE = Buffer.from('{"delete":{');
const QUOTE = Buffer.from('"');
const VERSION = Buffer.from(',"version":');
const EXTERNAL = Buffer.from(',"version_type":"external"');
/** Of records with the same version the last one wins, and a record that is sent again is taken again. */
const EXTERNAL_OR_SAME = Buffer.from(',"version_type":"external_gte"');

/** Writes the line before a document: what to do, with which id. */
export interface ActionWriter {
  /** Of actions that name none. Null: the request does not say one, or there was no action yet. */
  readonly requestIndex: string | null;
  /** Called before the first record of a batch. */
  begin(batch: RecordBatch): void;
  /** Throws a `SluiceError` when the record cannot be written at all. */
  write(batch: RecordBatch, index: number, writer: ByteWriter): void;
  /** Does a document line follow? */
  hasDocument(batch: RecordBatch, index: number): boolean;
}

/** `_index` of the actions whose index is not that of the request. */
export class IndexMember {
  readonly #index: Template;
  #requestIndex: string | null = null;
  #isDecided = false;
  #last = '';
  #bytes: Buffer = NOTHING;

  constructor(index: Template) {
    this.#index = index;
  }

  get requestIndex(): string | null {
    return this.#index.constant ?? this.#requestIndex;
  }

  begin(): void {
    this.#requestIndex = null;
    this.#isDecided = false;
    this.#last = '';
    this.#bytes = NOTHING;
  }

  /** The same bytes as long as the name is the same. */
  of(batch: RecordBatch, index: number): Buffer {
    if (this.#index.constant !== null) return NOTHING;
    const name = this.#index.render(batch, index);
    if (name !== this.#last) this.#name(name);
    return this.#bytes;
  }

  /** The first one is that of the request, for most of a batch goes to one index: less to write, to send and to read. */
  #name(name: string): void {
    if (!this.#isDecided && HARMLESS_NAME.test(name)) this.#requestIndex = name;
    this.#isDecided = true;
    this.#last = name;
    this.#bytes = name === this.#requestIndex ? NOTHING : Buffer.from(`"_index":${JSON.stringify(name)},`);
  }
}

/** Creates documents under the ids of their records; what is there already was written before. */
export class LogActions implements ActionWriter {
  readonly #index: IndexMember;
  readonly #routing: RoutingMember;
  #run = 0;
  #runEnd = 0;
  #idPrefix = '';
  #member: Buffer | null = null;
  /** All of the line before the offset. */
  #head: Buffer = OPENING;

  constructor(index: Template, routing: RoutingMember) {
    this.#index = new IndexMember(index);
    this.#routing = routing;
  }

  get requestIndex(): string | null {
    return this.#index.requestIndex;
  }

  begin(): void {
    this.#index.begin();
    this.#run = -1;
    this.#runEnd = 0;
  }

  write(batch: RecordBatch, index: number, writer: ByteWriter): void {
    const offset = batch.offset(index);
    while (index >= this.#runEnd) this.#nextRun(batch);
    const member = this.#index.of(batch, index);
    if (member !== this.#member) {
      this.#member = member;
      this.#head = Buffer.concat([OPENING, member, Buffer.from(this.#idPrefix)]);
    }
    writer.copy(this.#head);
    writer.number(offset);
    if (this.#routing.isNone) writer.short(QUOTE_END);
    else {
      writer.copy(QUOTE);
      writer.copy(this.#routing.of(batch, index));
      writer.copy(END);
    }
  }

  hasDocument(): boolean {
    return true;
  }

  /** The id of a record (`RecordBatch.id`) without a string per record: only the offset differs within a run. */
  #nextRun(batch: RecordBatch): void {
    const { topic, incarnation, partition, first, count } = batch.runs[++this.#run]!;
    this.#runEnd = first + count;
    this.#idPrefix = `"_id":${JSON.stringify(`${topic}+${incarnation}+${partition}+`).slice(0, -1)}`;
    this.#member = null;
  }
}

/** How a record says how new it is. */
export type Version = 'offset' | 'timestamp' | Expression;

/** Replaces and deletes documents by key; a version that is not newer changes nothing. */
export class KeyedActions implements ActionWriter {
  readonly #index: IndexMember;
  readonly #version: Version;
  readonly #versionType: Buffer;
  readonly #replace = Buffer.from('{"index":{');
  readonly #routing: RoutingMember;

  constructor(index: Template, routing: RoutingMember, version: Version) {
    this.#index = new IndexMember(index);
    this.#routing = routing;
    this.#version = version;
    this.#versionType = version === 'offset' ? EXTERNAL : EXTERNAL_OR_SAME;
  }

  get requestIndex(): string | null {
    return this.#index.requestIndex;
  }

  begin(): void {
    this.#index.begin();
  }

  write(batch: RecordBatch, index: number, writer: ByteWriter): void {
    const id = idOf(batch.key(index));
    writer.copy(this.hasDocument(batch, index) ? this.#replace : DELETE);
    writer.copy(this.#index.of(batch, index));
    writer.copy(ID);
    writer.quoted(id);
    writer.copy(this.#routing.of(batch, index));
    writer.copy(VERSION);
    this.#writeVersion(batch, index, writer);
    writer.copy(this.#versionType);
    writer.copy(END);
  }

  hasDocument(batch: RecordBatch, index: number): boolean {
    return batch.valueLength(index) >= 0;
  }

  #writeVersion(batch: RecordBatch, index: number, writer: ByteWriter): void {
    if (this.#version === 'offset') writer.number(batch.offset(index));
    else {
      const version =
        this.#version === 'timestamp' ? batch.timestamp(index) : this.#version.evaluate(batch.record(index));
      writer.copy(Buffer.from(versionText(version)));
    }
  }
}

export function idOf(key: Uint8Array | null): Uint8Array {
  if (key === null || key.length === 0) throw refused('the record has no key');
  if (key.length > MAX_ID_BYTES) throw refused(`the key has ${key.length} bytes, and ids at most ${MAX_ID_BYTES}`);
  if (!isUtf8(key)) throw refused('the key is no UTF-8');
  return key;
}

function versionText(value: unknown): string {
  const number = value instanceof Date ? value.getTime() : value;
  if (typeof number === 'bigint' && number >= 0n && number <= MAX_VERSION) return number.toString();
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number.toString();
  throw new SluiceError('SINK_REJECTED', 'versioning a document: the version is no whole number from 0 on');
}

function refused(reason: string): SluiceError {
  return new SluiceError('SINK_REJECTED', `naming a document: ${reason}`);
}
