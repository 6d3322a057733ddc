import { ProtobufCursor } from 'sluice/codec';
import { TURN_BYTES, type Taken } from '../protocol.ts';
import { LogParts, LogWriter, type ScopeParts } from './log-writer.ts';
import type { Part } from './otlp-values.ts';
import { ProtobufValues } from './protobuf-values.ts';

const RESOURCE_LOGS = 1;
/** Of ResourceLogs and of ScopeLogs: what it is about, its parts, and the schema of both. */
const [ABOUT, PARTS, SCHEMA_URL] = [1, 2, 3];
/** Of InstrumentationScope. */
const [NAME, VERSION] = [1, 2];

/** Reads an ExportLogsServiceRequest in protobuf: one at a time, since requests take turns. The parts of a message may stand in any order, so each is walked twice: what it is about first. */
export class ProtobufLogs {
  readonly #request = new ProtobufCursor();
  readonly #resource = new ProtobufCursor();
  readonly #scope = new ProtobufCursor();
  readonly #inner = new ProtobufCursor();
  readonly #parts = new LogParts();
  readonly #values = new ProtobufValues();

  /** Gathers the records of the request, in turns. Throws `DECODE_INVALID`. */
  *read(taken: Taken): Generator<void, LogWriter> {
    const writer = new LogWriter(taken, this.#values);
    const { bytes } = taken;
    const { json } = taken.records;
    const [request, resource, scope] = [this.#request, this.#resource, this.#scope];
    let turnEnd = TURN_BYTES;
    request.open(bytes, 0, bytes.length);
    while (request.next()) {
      if (request.field !== RESOURCE_LOGS) continue;
      request.expect('bytes');
      writer.resource(this.#about(resource, bytes, request, false));
      resource.open(bytes, request.from, request.to);
      while (resource.next()) {
        if (resource.field !== PARTS) continue;
        resource.expect('bytes');
        writer.scope(this.#about(scope, bytes, resource, true));
        scope.open(bytes, resource.from, resource.to);
        while (scope.next()) {
          if (scope.field !== PARTS) continue;
          scope.expect('bytes');
          writer.record(this.#record(bytes, scope));
          if (json.end + scope.at < turnEnd) continue;
          turnEnd = json.end + scope.at + TURN_BYTES;
          yield;
        }
      }
    }
    return writer;
  }

  /** What a ResourceLogs or ScopeLogs in `bytes[from, to)` is about. */
  #about(cursor: ProtobufCursor, bytes: Buffer, { from, to }: Part, isScope: boolean): ScopeParts {
    const attributes = { from: 0, to: 0 };
    const schemaUrl = { from: 0, to: 0 };
    cursor.open(bytes, from, to);
    while (cursor.next()) {
      if (cursor.field === ABOUT) take(cursor, attributes);
      else if (cursor.field === SCHEMA_URL) take(cursor, schemaUrl);
    }
    if (!isScope) return { attributes: this.#whereAny(bytes, attributes, 1), schemaUrl };
    const [name, version] = [
      { from: 0, to: 0 },
      { from: 0, to: 0 },
    ];
    cursor.open(bytes, attributes.from, attributes.to);
    while (cursor.next()) {
      if (cursor.field === NAME) take(cursor, name);
      else if (cursor.field === VERSION) take(cursor, version);
    }
    return { name, version, attributes: this.#whereAny(bytes, attributes, 3), schemaUrl };
  }

  /** The message, if it has a field of this number: an empty list is not written. */
  #whereAny(bytes: Buffer, message: Part, field: number): Part {
    const cursor = this.#inner;
    cursor.open(bytes, message.from, message.to);
    while (cursor.next()) if (cursor.field === field) return message;
    return { from: 0, to: 0 };
  }

  #record(bytes: Buffer, { from, to }: Part): LogParts {
    const [cursor, parts] = [this.#inner, this.#parts];
    parts.reset();
    cursor.open(bytes, from, to);
    while (cursor.next()) {
      switch (cursor.field) {
        case 1:
          parts.time = cursor.fixed64();
          break;
        case 2:
          parts.severityNumber = cursor.uint32();
          break;
        case 3:
          take(cursor, parts.severityText);
          break;
        case 5:
          take(cursor, parts.body);
          break;
        case 6:
          cursor.expect('bytes');
          [parts.attributes.from, parts.attributes.to] = [from, to];
          break;
        case 7:
          parts.droppedAttributes = cursor.uint32();
          break;
        case 8:
          parts.flags = cursor.fixed32();
          break;
        case 9:
          take(cursor, parts.traceId);
          break;
        case 10:
          take(cursor, parts.spanId);
          break;
        case 11:
          parts.observedTime = cursor.fixed64();
          break;
        case 12:
          take(cursor, parts.eventName);
          break;
      }
    }
    return parts;
  }
}

function take(cursor: ProtobufCursor, part: Part): void {
  cursor.expect('bytes');
  part.from = cursor.from;
  part.to = cursor.to;
}
