import { SluiceError, type RecordBatch } from 'sluice/api';
import { type ByteWriter, JsonLine, JsonMembers, skipSpace } from 'sluice/codec';
import { TimestampField } from './timestamp-field.ts';

const LINE_FEED = 0x0a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MAX_FIELD_BYTES = 64;
const TIMESTAMP = Buffer.from('@timestamp');
/** Deeper than any mapping is. */
const MAX_DEPTH = 1000;

/** Writes the line behind an action. */
export interface Documents {
  /** Null when the line was written; else why the value is no document, and part of it may have been written. */
  write(batch: RecordBatch, index: number, writer: ByteWriter): SluiceError | null;
}

/**
 * Writes values as document lines. Each is checked to be one JSON object in one line: nothing in a record can end its line and begin an action of its own.
 */
export class DocumentWriter implements Documents {
  readonly #addsTimestamp: boolean;
  readonly #line = new JsonLine();
  readonly #members = new JsonMembers({ maxDepth: MAX_DEPTH });
  readonly #timestamp = new TimestampField();
  readonly #field = Buffer.alloc(MAX_FIELD_BYTES);

  constructor({ addsTimestamp }: { addsTimestamp: boolean }) {
    this.#addsTimestamp = addsTimestamp;
  }

  write(batch: RecordBatch, index: number, writer: ByteWriter): SluiceError | null {
    const length = batch.valueLength(index);
    if (length < 0) return notAnObject('there is no value');
    writer.reserve(length + MAX_FIELD_BYTES + 2);
    const start = writer.length;
    const end = batch.copyValue(index, writer.bytes, start);
    writer.bytes[end] = LINE_FEED;
    const fault = this.#line.check(writer.bytes, start, end);
    if (fault >= 0) return notAnObject(`no JSON at byte ${fault}`);
    const open = skipSpace(writer.bytes, start, end);
    if (writer.bytes[open] !== OPEN_BRACE) return notAnObject('the value is JSON, but no object');
    writer.length = end + 1;
    const isComplete = !this.#addsTimestamp || this.#members.find(writer.bytes, open, end, TIMESTAMP) >= 0;
    return isComplete ? null : this.#insertTimestamp(batch.timestamp(index), open + 1, writer);
  }

  #insertTimestamp(timestampMs: number, at: number, writer: ByteWriter): SluiceError | null {
    const end = writer.length;
    const isEmpty = writer.bytes[skipSpace(writer.bytes, at, end)] === CLOSE_BRACE;
    if (!this.#timestamp.write(writer, timestampMs))
      return new SluiceError('SINK_REJECTED', `dating a document: the record has no proper time (${timestampMs} ms)`);
    if (!isEmpty) writer.byte(COMMA);
    // It was written behind the line; the rest of the line makes room for it and follows.
    const fieldBytes = writer.length - end;
    const field = this.#field.subarray(0, fieldBytes);
    writer.bytes.copy(field, 0, end, writer.length);
    writer.bytes.copyWithin(at + fieldBytes, at, end);
    field.copy(writer.bytes, at);
    return null;
  }
}

function notAnObject(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', `reading a value as a JSON object: ${reason}`);
}
