import { SluiceError } from '../api/index.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const LAST_VARINT_BYTE = 9;
const TWO_32 = 2 ** 32;

export type ProtobufWire = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

const WIRES: Readonly<Record<number, ProtobufWire>> = {
  [VARINT]: 'varint',
  [FIXED64]: 'fixed64',
  [BYTES]: 'bytes',
  [FIXED32]: 'fixed32',
};

/**
 * Reads protobuf messages field by field without building anything. A message within another one is `bytes[from, to)` of its field: read it by another cursor, or by
 * this one after `open`. Everything throws `DECODE_INVALID` where a message is cut off, or not what the wire format allows.
 */
export class ProtobufCursor {
  at = 0;
  /** Of the field that was read last. */
  field = 0;
  wire: ProtobufWire = 'varint';
  /** Where its value lies. */
  from = 0;
  to = 0;
  bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  #words = new DataView(this.bytes.buffer, 0, 0);

  /** From now on it reads the message in `bytes[at, end)`. */
  open(bytes: Buffer, at: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.at = at;
    this.#end = end;
  }

  /** Reads the next field and passes it; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.#end) return false;
    const tag = this.#length('a tag');
    this.field = tag >>> 3;
    if (this.field === 0) throw this.#invalid('a field has the number 0');
    const wire = WIRES[tag & 7];
    // Groups are gone since proto3, and nobody who sends this has them.
    if (wire === undefined) throw this.#invalid(`field ${this.field} has the wire type ${tag & 7}, which is not taken`);
    this.wire = wire;
    this.from = this.at;
    if (wire === 'varint') this.#passVarint();
    else if (wire === 'bytes') {
      const length = this.#length('a length');
      this.from = this.at;
      this.#pass(length);
    } else this.#pass(wire === 'fixed64' ? 8 : 4);
    this.to = this.at;
    return true;
  }

  /** Has the field this wire type? Throws otherwise: whoever sends another one speaks another protocol. */
  expect(wire: ProtobufWire): void {
    if (this.wire !== wire) throw this.#invalid(`field ${this.field} is ${this.wire}, not ${wire}`);
  }

  /** The field as a signed 64-bit integer. */
  int64(): bigint {
    this.expect('varint');
    return BigInt.asIntN(64, this.#varint());
  }

  /** The field as an unsigned number of 32 bits; what is beyond them is cut off, as protobuf does. */
  uint32(): number {
    this.expect('varint');
    let value = 0;
    for (let at = this.from, shift = 0; at < this.to && shift < 35; at++, shift += 7)
      value |= (this.bytes[at]! & 0x7f) << shift;
    return value >>> 0;
  }

  fixed32(): number {
    this.expect('fixed32');
    return this.#words.getUint32(this.from, true);
  }

  fixed64(): bigint {
    this.expect('fixed64');
    return this.#words.getBigUint64(this.from, true);
  }

  double(): number {
    this.expect('fixed64');
    return this.#words.getFloat64(this.from, true);
  }

  isTrue(): boolean {
    this.expect('varint');
    return this.#varint() !== 0n;
  }

  #varint(): bigint {
    let value = 0n;
    for (let at = this.to - 1; at >= this.from; at--) value = (value << 7n) | BigInt(this.bytes[at]! & 0x7f);
    return value;
  }

  /** A varint that has to be a small number, read at once. */
  #length(what: string): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (this.at >= this.#end) throw this.#invalid('it is cut off');
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * factor;
      if (value >= TWO_32) throw this.#invalid(`${what} is larger than 32 bits`);
      if (byte < 0x80) return value;
      if (factor > TWO_32) throw this.#invalid(`${what} has more bytes than it may`);
    }
  }

  #passVarint(): void {
    const first = this.at;
    for (;;) {
      if (this.at >= this.#end) throw this.#invalid('it is cut off');
      const byte = this.bytes[this.at++]!;
      if (byte < 0x80) {
        // The tenth byte holds the 64th bit and nothing else.
        if (this.at - first - 1 === LAST_VARINT_BYTE && byte > 1) throw this.#invalid('a number has more than 64 bits');
        return;
      }
      if (this.at - first > LAST_VARINT_BYTE) throw this.#invalid('a number has more than 64 bits');
    }
  }

  #pass(length: number): void {
    if (length > this.#end - this.at)
      throw this.#invalid(`field ${this.field} is cut off: ${length} bytes announced, ${this.#end - this.at} left`);
    this.at += length;
  }

  #invalid(reason: string): SluiceError {
    return new SluiceError('DECODE_INVALID', `protobuf at byte ${this.at}: ${reason}`);
  }
}
