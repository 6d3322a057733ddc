import { SluiceError } from 'sluice/api';
import { defaultCodecLimits, type JsonWriter } from 'sluice/codec';

const { maxDepth, maxKeys } = defaultCodecLimits;

/** A part of a request: it lies in `bytes[from, to)`. */
export interface Part {
  from: number;
  to: number;
}

/**
 * Writes texts, ids, values and attributes of OTLP as plain JSON, whatever encoding they are read from: bytes from bytes. The limits are those of every
 * decoder here. Throws `DECODE_DEPTH` and `DECODE_KEYS` for a record that is beyond them, `DECODE_INVALID` for a request that is no OTLP.
 */
export abstract class OtlpValues {
  /** Of attributes, since somebody set it. */
  names = 0;
  bytes: Buffer = Buffer.alloc(0);

  /** `part` is a text. */
  abstract text(json: JsonWriter, part: Part): void;
  /** `part` is the id of a trace or a span, written in hex. */
  abstract id(json: JsonWriter, part: Part): void;
  /** `part` is an AnyValue. */
  abstract value(json: JsonWriter, part: Part, depth: number): void;
  /** `part` holds a list of KeyValue: the message around it in protobuf, where its field is `field`; the array in JSON. Written as an object. */
  abstract attributes(json: JsonWriter, part: Part, field: number, depth: number): void;

  protected countName(): void {
    if (++this.names > maxKeys) throw new SluiceError('DECODE_KEYS', `more than ${maxKeys} attributes in one record`);
  }

  protected checkDepth(depth: number): void {
    if (depth > maxDepth) throw new SluiceError('DECODE_DEPTH', `nested deeper than ${maxDepth} levels`);
  }
}

/** NaN and the infinities are no JSON. */
export function writeDouble(json: JsonWriter, value: number): void {
  json.ascii(Number.isFinite(value) ? String(value) : 'null');
}

/** Appends a character of ASCII. */
export function put(json: JsonWriter, character: string): void {
  json.room(1);
  json.bytes[json.end++] = character.charCodeAt(0);
}
