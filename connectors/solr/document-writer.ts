import { SluiceError, type Expression, type RecordBatch } from 'sluice/api';
import { FlatObjects, JsonObject, type ByteWriter } from 'sluice/codec';
import { DocumentShape, type ShapeSettings } from './document-shape.ts';
import type { Ids } from './ids.ts';

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const COMMA = 0x2c;
const UNDERSCORE = 0x5f;
const CLOSE_BRACE = 0x7d;
const MAX_DEPTH = 128;
const MAX_VERSION = 2n ** 63n - 1n;

/** How a record says how new it is. */
export type Version = 'offset' | 'timestamp' | Expression;

export interface DocumentSettings extends ShapeSettings {
  /** What makes the version of a document, and the field that takes it; null for none. */
  readonly version: { readonly of: Version; readonly field: string } | null;
  /** What Solr is told to look at first, as `_version_`; null for nothing. */
  readonly expected: -1 | 1 | null;
}

/**
 * Writes values as documents: the id first, then the members as they stand, if nothing has to change in them. No number is read, and nothing in a record can end its
 * document, become an instruction to Solr or name another document.
 */
export class DocumentWriter {
  readonly #settings: DocumentSettings;
  readonly #shape: DocumentShape;
  readonly #flat: FlatObjects;
  readonly #object = new JsonObject({ maxDepth: MAX_DEPTH });
  readonly #opening: Buffer;
  readonly #idField: Buffer;
  readonly #versionName: Buffer | null;
  readonly #expected: Buffer | null;
  /** Every document goes through the shape. */
  readonly #isShaped: boolean;

  constructor(settings: DocumentSettings) {
    const { idField, version, expected, fields, isUpdate } = settings;
    this.#settings = settings;
    this.#shape = new DocumentShape(settings);
    this.#flat = new FlatObjects({ name: idField, reserved: UNDERSCORE });
    this.#opening = Buffer.from(`{${JSON.stringify(idField)}:`);
    this.#idField = Buffer.from(idField);
    this.#versionName = version === null ? null : Buffer.from(`,${JSON.stringify(version.field)}:`);
    this.#expected = expected === null ? null : Buffer.from(`,"_version_":${expected}`);
    this.#isShaped = isUpdate || version !== null || settings.takesVersion || fields.size > 0;
  }

  /** Null when the document was written; else why the value is none, and part of it may have been written. */
  write(batch: RecordBatch, index: number, ids: Ids, writer: ByteWriter): SluiceError | null {
    const length = batch.valueLength(index);
    if (length < 0) return notAnObject('there is no value');
    writer.short(this.#opening);
    writer.quoted(ids.bytes, ids.end);
    if (this.#expected !== null) writer.short(this.#expected);
    if (this.#versionName !== null) this.#writeVersion(batch, index, writer);
    writer.reserve(length + 1);
    const start = writer.length;
    const end = batch.copyValue(index, writer.bytes, start);
    if (!this.#isShaped && this.#flat.has(writer.bytes, start, end)) {
      // Its brace becomes the comma behind the id.
      writer.bytes[start] = COMMA;
      writer.length = end;
      return null;
    }
    writer.bytes[end] = LINE_FEED;
    const object = this.#object;
    const fault = object.read(writer.bytes, start, end);
    if (fault >= 0) return notAnObject(faultText(writer.bytes, start, fault, object.open));
    if (this.#isShaped || object.hasNested || object.hasEscapedName || this.#hasOwnNames()) {
      const value = Buffer.from(writer.bytes.subarray(start, end + 1));
      return this.#shape.write(value, ids, writer);
    }
    writer.bytes[object.open] = object.count === 0 ? SPACE : COMMA;
    writer.length = end;
    return null;
  }

  /** A member that means something to Solr, or the id. */
  #hasOwnNames(): boolean {
    const object = this.#object;
    for (let member = 0; member < object.count; member++) {
      if (object.isNamed(member, this.#idField) || object.nameStartsWith(member, UNDERSCORE)) return true;
    }
    return false;
  }

  #writeVersion(batch: RecordBatch, index: number, writer: ByteWriter): void {
    writer.short(this.#versionName!);
    writer.copy(Buffer.from(versionText(this.#settings.version!.of, batch, index)));
  }
}

/** Throws `SINK_REJECTED` when the record does not say one. */
export function versionText(of: Version, batch: RecordBatch, index: number): string {
  if (of === 'offset') return String(batch.offset(index));
  const version = of === 'timestamp' ? batch.timestamp(index) : of.evaluate(batch.record(index));
  const number = version instanceof Date ? version.getTime() : version;
  if (typeof number === 'bigint' && number >= 0n && number <= MAX_VERSION) return number.toString();
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number.toString();
  throw new SluiceError('SINK_REJECTED', 'versioning a document: the version is no whole number from 0 on');
}

function faultText(bytes: Buffer, start: number, fault: number, open: number): string {
  return start + fault === open && bytes[open] !== CLOSE_BRACE && isValueStart(bytes[open]!)
    ? 'the value is no JSON object'
    : `no JSON object at byte ${fault}`;
}

function isValueStart(byte: number): boolean {
  return '"[-0123456789tfn'.includes(String.fromCharCode(byte));
}

function notAnObject(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', `reading a value as a JSON object: ${reason}`);
}
