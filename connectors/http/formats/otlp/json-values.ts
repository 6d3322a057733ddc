import { SluiceError } from 'sluice/api';
import { JsonCursor, type JsonWriter } from 'sluice/codec';
import { expectKind, JsonElements, JsonParts } from './json-parts.ts';
import { OtlpValues, put, type Part } from './otlp-values.ts';

const EMPTY_TEXT = Buffer.from('""');
const NULL = Buffer.from('null');
const INTEGER = /^-?\d{1,20}$/;
const HEX = /^[0-9a-fA-F]*$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** In AnyValue, one of which is set. */
const VALUES = [
  'stringValue',
  'intValue',
  'boolValue',
  'doubleValue',
  'kvlistValue',
  'arrayValue',
  'bytesValue',
] as const;

/** Values in OTLP/JSON, in text that was checked: texts pass as they were written. What is read again at each level is kept in local variables before. */
export class JsonValues extends OtlpValues {
  readonly #cursor = new JsonCursor();
  readonly #elements = new JsonElements();
  readonly #any = new JsonParts('a value', VALUES);
  readonly #list = new JsonParts('a list', ['values']);
  readonly #pair = new JsonParts('an attribute', ['key', 'value']);

  text(json: JsonWriter, { from, to }: Part): void {
    this.#cursor.open(this.bytes, from, to);
    expectKind('a text', this.#cursor.kind(), 'text');
    json.slice(this.bytes, from, to);
  }

  id(json: JsonWriter, { from, to }: Part): void {
    this.#cursor.open(this.bytes, from, to);
    expectKind('an id', this.#cursor.kind(), 'text');
    this.#cursor.scalar();
    const id = this.#cursor.string;
    if (!HEX.test(id)) throw invalid(`the id ${JSON.stringify(id)} is not in hex`);
    json.ascii(`"${id.toLowerCase()}"`);
  }

  value(json: JsonWriter, part: Part, depth: number): void {
    this.#any.read(this.bytes, part);
    const index = this.#any.parts.findIndex(isThere);
    if (index < 0) json.raw(NULL);
    else this.#write(json, VALUES[index]!, { ...this.#any.parts[index]! }, depth);
  }

  attributes(json: JsonWriter, part: Part, _field: number, depth: number): void {
    this.checkDepth(depth);
    put(json, '{');
    let at = this.#elements.open(this.bytes, part);
    for (let isFirst = true; (at = this.#elements.next(this.bytes, at, part.to)) >= 0; isFirst = false) {
      if (!isFirst) put(json, ',');
      this.#keyValue(json, { from: this.#elements.from, to: at }, depth);
    }
    put(json, '}');
  }

  #array(json: JsonWriter, part: Part, depth: number): void {
    this.checkDepth(depth);
    put(json, '[');
    let at = this.#elements.open(this.bytes, part);
    for (let isFirst = true; (at = this.#elements.next(this.bytes, at, part.to)) >= 0; isFirst = false) {
      if (!isFirst) put(json, ',');
      this.value(json, { from: this.#elements.from, to: at }, depth);
    }
    put(json, ']');
  }

  #write(json: JsonWriter, name: (typeof VALUES)[number], part: Part, depth: number): void {
    switch (name) {
      case 'stringValue':
        this.text(json, part);
        break;
      case 'boolValue':
        this.#cursor.open(this.bytes, part.from, part.to);
        expectKind(name, this.#cursor.kind(), 'boolean');
        json.slice(this.bytes, part.from, part.to);
        break;
      case 'arrayValue':
      case 'kvlistValue':
        this.#nested(json, name === 'kvlistValue', part, depth + 1);
        break;
      default:
        this.#scalar(json, name, part);
    }
  }

  #nested(json: JsonWriter, isMap: boolean, part: Part, depth: number): void {
    this.checkDepth(depth);
    this.#list.read(this.bytes, part);
    if (!this.#list.has(0, 'array')) json.ascii(isMap ? '{}' : '[]');
    else if (isMap) this.attributes(json, { ...this.#list.parts[0]! }, 0, depth);
    else this.#array(json, { ...this.#list.parts[0]! }, depth);
  }

  /** Bytes, and numbers, which may stand in texts. */
  #scalar(json: JsonWriter, name: 'intValue' | 'doubleValue' | 'bytesValue', { from, to }: Part): void {
    const cursor = this.#cursor;
    cursor.open(this.bytes, from, to);
    const isText = cursor.kind() === 'text';
    if (!isText) expectKind(name, cursor.kind(), name === 'bytesValue' ? 'text' : 'number');
    cursor.scalar();
    const text = cursor.string;
    if (!isText) json.slice(this.bytes, from, to);
    else if (name === 'doubleValue') {
      const number = text.trim() === '' ? NaN : Number(text);
      json.ascii(Number.isFinite(number) ? String(number) : 'null');
    } else if (name === 'intValue') {
      if (!INTEGER.test(text)) throw invalid(`intValue ${JSON.stringify(text)} is no whole number`);
      json.ascii(String(BigInt(text)));
    } else {
      if (!BASE64.test(text)) throw invalid('bytesValue is not base64');
      json.ascii(`"${text}"`);
    }
  }

  #keyValue(json: JsonWriter, part: Part, depth: number): void {
    this.countName();
    this.#pair.read(this.bytes, part);
    const value = { ...this.#pair.parts[1]! };
    if (this.#pair.has(0, 'text')) this.text(json, this.#pair.parts[0]!);
    else json.raw(EMPTY_TEXT);
    put(json, ':');
    if (isThere(value)) this.value(json, value, depth);
    else json.raw(NULL);
  }
}

function isThere({ to }: Part): boolean {
  return to > 0;
}

function invalid(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', reason);
}
