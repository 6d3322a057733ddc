import { ProtobufCursor, type JsonWriter } from 'sluice/codec';
import { OtlpValues, put, writeDouble, type Part } from './otlp-values.ts';

const KEY = 1;
const VALUE = 2;
/** Of ArrayValue and KeyValueList. */
const LIST = 1;

/** The fields of AnyValue, one of which is set. */
const TEXT = 1;
const BOOLEAN = 2;
const INTEGER = 3;
const DOUBLE = 4;
const ARRAY = 5;
const MAP = 6;
const BYTES = 7;

const EMPTY_TEXT = Buffer.from('""');
const NULL = Buffer.from('null');

/** Values in protobuf. One cursor serves all levels: each opens it again behind the level below. */
export class ProtobufValues extends OtlpValues {
  readonly #cursor = new ProtobufCursor();

  text(json: JsonWriter, { from, to }: Part): void {
    json.text(this.bytes, from, to);
  }

  id(json: JsonWriter, { from, to }: Part): void {
    json.ascii(`"${this.bytes.toString('hex', from, to)}"`);
  }

  value(json: JsonWriter, { from, to }: Part, depth: number): void {
    const cursor = this.#cursor;
    cursor.open(this.bytes, from, to);
    let last = -1;
    for (let at = from; cursor.next(); at = cursor.at) if (cursor.field >= TEXT && cursor.field <= BYTES) last = at;
    if (last < 0) {
      json.raw(NULL);
      return;
    }
    cursor.open(this.bytes, last, to);
    cursor.next();
    this.#write(json, depth);
  }

  attributes(json: JsonWriter, { from, to }: Part, field: number, depth: number): void {
    this.checkDepth(depth);
    put(json, '{');
    let isFirst = true;
    for (let at = this.#after(from, to, field); at >= 0; at = this.#after(at, to, field)) {
      if (!isFirst) put(json, ',');
      isFirst = false;
      this.#keyValue(json, { from: this.#cursor.from, to: at }, depth);
    }
    put(json, '}');
  }

  /** Writes the field that was read last. */
  #write(json: JsonWriter, depth: number): void {
    const cursor = this.#cursor;
    const { field, from, to } = cursor;
    if (field === BOOLEAN) json.ascii(String(cursor.isTrue()));
    else if (field === INTEGER) json.ascii(String(cursor.int64()));
    else if (field === DOUBLE) writeDouble(json, cursor.double());
    else {
      cursor.expect('bytes');
      if (field === TEXT) json.text(this.bytes, from, to);
      else if (field === BYTES) json.base64(this.bytes, from, to);
      else if (field === ARRAY) this.#array(json, { from, to }, depth + 1);
      else if (field === MAP) this.attributes(json, { from, to }, LIST, depth + 1);
    }
  }

  #array(json: JsonWriter, { from, to }: Part, depth: number): void {
    this.checkDepth(depth);
    put(json, '[');
    let isFirst = true;
    for (let at = this.#after(from, to, LIST); at >= 0; at = this.#after(at, to, LIST)) {
      if (!isFirst) put(json, ',');
      isFirst = false;
      this.value(json, { from: this.#cursor.from, to: at }, depth);
    }
    put(json, ']');
  }

  #keyValue(json: JsonWriter, { from, to }: Part, depth: number): void {
    this.countName();
    const cursor = this.#cursor;
    cursor.open(this.bytes, from, to);
    let [keyFrom, keyTo, valueFrom, valueTo] = [0, -1, 0, -1];
    while (cursor.next()) {
      if (cursor.field > VALUE) continue;
      cursor.expect('bytes');
      if (cursor.field === KEY) [keyFrom, keyTo] = [cursor.from, cursor.to];
      else [valueFrom, valueTo] = [cursor.from, cursor.to];
    }
    if (keyTo < 0) json.raw(EMPTY_TEXT);
    else json.text(this.bytes, keyFrom, keyTo);
    put(json, ':');
    if (valueTo < 0) json.raw(NULL);
    else this.value(json, { from: valueFrom, to: valueTo }, depth);
  }

  /** Goes to the next message in this field of `bytes[at, to)`: it begins at the cursor's `from`, and ends where this returns. -1 when there is none. */
  #after(at: number, to: number, field: number): number {
    const cursor = this.#cursor;
    cursor.open(this.bytes, at, to);
    while (cursor.next()) {
      if (cursor.field !== field) continue;
      cursor.expect('bytes');
      return cursor.at;
    }
    return -1;
  }
}
