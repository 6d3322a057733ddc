import { JsonCursor } from 'sluice/codec';
import { badAttribute, checkAttributes, checkName, type Attributes } from './attributes.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const JSON_TYPE = 'application/json';
const IS_JSON_TYPE = /^[^;]*[/+]json\s*(?:;|$)/i;

/** An event in JSON: attributes taken apart, and where its data lies. */
export class StructuredEvent {
  attributes: Attributes = new Map();
  readonly #cursor = new JsonCursor();
  #bytes: Buffer = Buffer.alloc(0);
  #dataStart = -1;
  #dataEnd = -1;
  #base64: string | null = null;

  /** Reads `bytes[start, end)`, a JSON value that was checked. Throws a 400 that names the attribute at fault. */
  read(bytes: Buffer, start: number, end: number, place: string): void {
    this.#bytes = bytes;
    this.attributes = new Map();
    this.#dataStart = -1;
    this.#base64 = null;
    const cursor = this.#cursor;
    cursor.open(bytes, start, end);
    if (cursor.kind() !== 'object')
      throw badAttribute('specversion', `is missing: ${cursor.kind()} is no event`, place);
    cursor.enter();
    while (cursor.member()) {
      const name = cursor.string;
      if (name === 'data') this.#readData();
      else if (name === 'data_base64') this.#readBase64(place);
      else this.#readAttribute(name, place);
    }
    if (this.#hasBoth()) throw badAttribute('data_base64', 'stands beside `data`; an event has one of them', place);
    checkAttributes(this.attributes, place);
  }

  /**
   * The data as binary mode has it: JSON as it was written, a text of another type as its bytes, what was in base64 decoded; empty without data. Data of no type is JSON,
   * and gets that attribute.
   */
  data(): Buffer {
    const bytes = this.#bytes;
    if (this.#base64 !== null) return Buffer.from(this.#base64, 'base64');
    if (this.#dataStart < 0) return Buffer.alloc(0);
    const type = this.attributes.get('datacontenttype');
    if (type === undefined) this.attributes.set('datacontenttype', Buffer.from(JSON_TYPE));
    this.#cursor.open(bytes, this.#dataStart, this.#dataEnd);
    if (type === undefined || IS_JSON_TYPE.test(type.toString()) || this.#cursor.kind() !== 'text')
      return bytes.subarray(this.#dataStart, this.#dataEnd);
    this.#cursor.scalar();
    return Buffer.from(this.#cursor.string);
  }

  #hasBoth(): boolean {
    return this.#dataStart >= 0 && this.#base64 !== null;
  }

  #readData(): void {
    const cursor = this.#cursor;
    cursor.kind();
    this.#dataStart = cursor.at;
    cursor.skip();
    this.#dataEnd = cursor.at;
  }

  #readBase64(place: string): void {
    const cursor = this.#cursor;
    const kind = cursor.kind();
    if (kind === 'null') cursor.skip();
    else if (kind !== 'text') throw badAttribute('data_base64', `is ${kind}, not base64`, place);
    else {
      cursor.scalar();
      this.#base64 = cursor.string;
      if (!BASE64.test(this.#base64)) throw badAttribute('data_base64', 'is not base64', place);
    }
  }

  #readAttribute(name: string, place: string): void {
    const cursor = this.#cursor;
    checkName(name, place);
    const kind = cursor.kind();
    if (kind === 'object' || kind === 'array')
      throw badAttribute(name, `is an ${kind}; attributes are texts, numbers or booleans`, place);
    cursor.scalar();
    if (kind !== 'null') this.attributes.set(name, Buffer.from(cursor.string));
  }
}
