import { SluiceError } from 'sluice/api';
import { defaultCodecLimits, JsonCursor, JsonScanner, jsonSlices } from 'sluice/codec';
import { bodyFault } from '../faults.ts';
import { TURN_BYTES, type Taken } from '../protocol.ts';
import { JsonElements, JsonParts } from './json-parts.ts';
import { JsonValues } from './json-values.ts';
import { LogParts, LogWriter, type ScopeParts } from './log-writer.ts';
import { LATEST_NANOS } from './nano-time.ts';
import type { Part } from './otlp-values.ts';

/** Each level of a value takes up to four of JSON (`{"kvlistValue":{"values":[{"value":…}]}}`), and seven stand around a record's. */
const LIMITS = { ...defaultCodecLimits, maxDepth: 4 * defaultCodecLimits.maxDepth + 8 };

const WHOLE_NUMBER = /^\d{1,20}$/;
const QUOTE = 0x22;
const NOTHING: Part = { from: 0, to: 0 };

const RECORD_NAMES = [
  'timeUnixNano',
  'observedTimeUnixNano',
  'severityNumber',
  'severityText',
  'body',
  'attributes',
  'droppedAttributesCount',
  'flags',
  'traceId',
  'spanId',
  'eventName',
] as const;

/** Reads an ExportLogsServiceRequest in JSON: one at a time, since requests take turns. */
export class JsonLogs {
  readonly #scanner = new JsonScanner(LIMITS);
  readonly #cursor = new JsonCursor();
  readonly #values = new JsonValues();
  readonly #parts = new LogParts();
  readonly #request = new JsonParts('the request', ['resourceLogs']);
  readonly #resourceLogs = new JsonParts('an element of resourceLogs', ['resource', 'scopeLogs', 'schemaUrl']);
  readonly #resource = new JsonParts('resource', ['attributes']);
  readonly #scopeLogs = new JsonParts('an element of scopeLogs', ['scope', 'logRecords', 'schemaUrl']);
  readonly #scope = new JsonParts('scope', ['name', 'version', 'attributes']);
  readonly #record = new JsonParts('an element of logRecords', RECORD_NAMES);
  readonly #elements = new JsonElements();
  readonly #attributes = new JsonElements();

  /** Gathers the records of the request, in turns. Throws a `Refusal` for what is no JSON, `DECODE_INVALID` for what is no OTLP. */
  *read(taken: Taken): Generator<void, LogWriter> {
    const { bytes } = taken;
    checkJson(bytes, this.#scanner);
    const writer = new LogWriter(taken, this.#values);
    this.#request.read(bytes, { from: 0, to: bytes.length });
    if (!this.#request.has(0, 'array')) return writer;
    const list = { ...this.#request.parts[0]! };
    const elements = this.#elements;
    for (let at = elements.open(bytes, list); (at = elements.next(bytes, at, list.to)) >= 0;) {
      this.#resourceLogs.read(bytes, { from: elements.from, to: at });
      writer.resource(this.#resourceParts(bytes));
      if (this.#resourceLogs.has(1, 'array'))
        yield* this.#readScopes(bytes, { ...this.#resourceLogs.parts[1]! }, writer, taken);
    }
    return writer;
  }

  *#readScopes(bytes: Buffer, list: Part, writer: LogWriter, { records }: Taken): Generator<void, void> {
    const elements = this.#elements;
    let turnEnd = records.json.end + list.from + TURN_BYTES;
    for (let at = elements.open(bytes, list); (at = elements.next(bytes, at, list.to)) >= 0;) {
      this.#scopeLogs.read(bytes, { from: elements.from, to: at });
      writer.scope(this.#scopeParts(bytes));
      if (!this.#scopeLogs.has(1, 'array')) continue;
      const logs = { ...this.#scopeLogs.parts[1]! };
      for (let log = elements.open(bytes, logs); (log = elements.next(bytes, log, logs.to)) >= 0;) {
        writer.record(this.#log(bytes, { from: elements.from, to: log }));
        if (records.json.end + log < turnEnd) continue;
        turnEnd = records.json.end + log + TURN_BYTES;
        yield;
      }
    }
  }

  #resourceParts(bytes: Buffer): ScopeParts {
    const [resource, , schemaUrl] = this.#resourceLogs.parts as [Part, Part, Part];
    this.#resource.read(bytes, resource);
    return { attributes: this.#listOf(bytes, this.#resource, 0), schemaUrl: textOf(bytes, schemaUrl) };
  }

  #scopeParts(bytes: Buffer): ScopeParts {
    const [scope, , schemaUrl] = this.#scopeLogs.parts as [Part, Part, Part];
    this.#scope.read(bytes, scope);
    const [name, version] = this.#scope.parts as [Part, Part, Part];
    return {
      name: textOf(bytes, name),
      version: textOf(bytes, version),
      attributes: this.#listOf(bytes, this.#scope, 2),
      schemaUrl: textOf(bytes, schemaUrl),
    };
  }

  #log(bytes: Buffer, part: Part): LogParts {
    const [found, parts] = [this.#record, this.#parts];
    found.read(bytes, part);
    parts.reset();
    parts.time = this.#number(bytes, 0);
    parts.observedTime = this.#number(bytes, 1);
    parts.severityNumber = Number(BigInt.asUintN(32, this.#number(bytes, 2)));
    parts.droppedAttributes = Number(BigInt.asUintN(32, this.#number(bytes, 6)));
    parts.flags = Number(BigInt.asUintN(32, this.#number(bytes, 7)));
    copy(textOf(bytes, found.parts[3]!), parts.severityText);
    copy(found.parts[4]!, parts.body);
    copy(this.#listOf(bytes, found, 5), parts.attributes);
    copy(textOf(bytes, found.parts[8]!), parts.traceId);
    copy(textOf(bytes, found.parts[9]!), parts.spanId);
    copy(textOf(bytes, found.parts[10]!), parts.eventName);
    return parts;
  }

  /** Nothing for a list without elements. */
  #listOf(bytes: Buffer, object: JsonParts, index: number): Part {
    if (!object.has(index, 'array')) return NOTHING;
    const list = object.parts[index]!;
    return this.#attributes.next(bytes, this.#attributes.open(bytes, list), list.to) < 0 ? NOTHING : list;
  }

  /** 64-bit numbers stand in texts, since JSON's have 53 bits; both are taken for all. 0 when it is not there. */
  #number(bytes: Buffer, index: number): bigint {
    const { from, to } = this.#record.parts[index]!;
    if (to === 0) return 0n;
    const cursor = this.#cursor;
    cursor.open(bytes, from, to);
    const kind = cursor.kind();
    cursor.scalar();
    const text = kind === 'text' || kind === 'number' ? cursor.string : '';
    const number = WHOLE_NUMBER.test(text) ? BigInt(text) : -1n;
    if (number >= 0n && number <= LATEST_NANOS) return number;
    throw new SluiceError(
      'DECODE_INVALID',
      `${RECORD_NAMES[index]!}: expected a whole number, found ${JSON.stringify(text)}`,
    );
  }
}

function checkJson(bytes: Buffer, scanner: JsonScanner): void {
  const slices = jsonSlices(bytes, { scanner, maxRecordBytes: bytes.length });
  while (slices.next());
  scanner.forget();
  if (slices.fault !== null) throw bodyFault(bytes, slices.fault, { format: 'json', isGuessed: false });
}

/** Nothing for an empty text, as protobuf has it. */
function textOf(bytes: Buffer, part: Part): Part {
  return part.to - part.from === 2 && bytes[part.from] === QUOTE ? NOTHING : part;
}

function copy({ from, to }: Part, into: Part): void {
  into.from = from;
  into.to = to;
}
