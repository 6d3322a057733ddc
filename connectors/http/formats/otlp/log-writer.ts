import { SluiceError } from 'sluice/api';
import { JsonWriter } from 'sluice/codec';
import { tooManyRecords } from '../faults.ts';
import type { Taken } from '../protocol.ts';
import { millisecondsOf, NanoTime } from './nano-time.ts';
import { put, type OtlpValues, type Part } from './otlp-values.ts';

/** Where the parts of a LogRecord lie; those that are not there end at 0. Used again for each. */
export class LogParts {
  time = 0n;
  observedTime = 0n;
  severityNumber = 0;
  flags = 0;
  droppedAttributes = 0;
  readonly severityText: Part = { from: 0, to: 0 };
  readonly eventName: Part = { from: 0, to: 0 };
  readonly body: Part = { from: 0, to: 0 };
  readonly attributes: Part = { from: 0, to: 0 };
  readonly traceId: Part = { from: 0, to: 0 };
  readonly spanId: Part = { from: 0, to: 0 };

  reset(): void {
    this.time = this.observedTime = 0n;
    this.severityNumber = this.flags = this.droppedAttributes = 0;
    this.severityText.to = this.eventName.to = this.body.to = 0;
    this.attributes.to = this.traceId.to = this.spanId.to = 0;
  }
}

/** Where the parts of a Resource or an InstrumentationScope lie, and of what stands beside it. */
export interface ScopeParts {
  readonly name?: Part;
  readonly version?: Part;
  readonly attributes: Part;
  readonly schemaUrl: Part;
}

const ATTRIBUTE_FIELDS = { log: 6, resource: 1, scope: 3 } as const;

/** Writes LogRecords as JSON objects. A record that is beyond a limit is refused alone, and counted. */
export class LogWriter {
  rejected = 0;
  /** Why the first one was refused. */
  reason = '';
  readonly #taken: Taken;
  readonly #values: OtlpValues;
  readonly #time = new NanoTime();
  /** What all records of a scope end with, and how many attributes are in it. */
  readonly #tail = new JsonWriter('replace');
  #tailNames = 0;
  #tailFault: SluiceError | null = null;
  #resourceEnd = 0;
  #resourceNames = 0;
  #resourceFault: SluiceError | null = null;

  constructor(taken: Taken, values: OtlpValues) {
    this.#taken = taken;
    this.#values = values;
    values.bytes = taken.bytes;
    taken.records.share(taken.shared);
  }

  /** Records from now on are of this resource. */
  resource(parts: ScopeParts): void {
    this.#tail.end = this.#values.names = 0;
    this.#resourceFault = this.#describe('resource', parts, ATTRIBUTE_FIELDS.resource);
    this.#resourceEnd = this.#tail.end;
    this.#resourceNames = this.#values.names;
  }

  /** Records from now on are of this scope of the resource. */
  scope(parts: ScopeParts): void {
    this.#tail.end = this.#resourceEnd;
    this.#values.names = this.#resourceNames;
    this.#tailFault = this.#describe('scope', parts, ATTRIBUTE_FIELDS.scope) ?? this.#resourceFault;
    this.#tailNames = this.#values.names;
  }

  record(parts: LogParts): void {
    const { records, maxRecords, nowMs } = this.#taken;
    if (records.count === maxRecords) throw tooManyRecords(maxRecords);
    const { json } = records;
    const start = json.end;
    try {
      if (this.#tailFault !== null) throw this.#tailFault;
      this.#values.names = this.#tailNames;
      this.#write(json, parts);
      const nanos = parts.time === 0n ? parts.observedTime : parts.time;
      records.add(nanos === 0n ? nowMs : millisecondsOf(nanos));
    } catch (error) {
      if (!isOfRecord(error)) throw error;
      json.end = start;
      if (this.rejected++ === 0) this.reason = error.message;
    }
  }

  #write(json: JsonWriter, parts: LogParts): void {
    const values = this.#values;
    put(json, '{');
    if (parts.time !== 0n) this.#member(json, 'timestamp', `"${this.#time.text(parts.time)}"`);
    if (parts.observedTime !== 0n) this.#member(json, 'observed_timestamp', `"${this.#time.text(parts.observedTime)}"`);
    if (parts.severityNumber !== 0) this.#member(json, 'severity_number', String(parts.severityNumber));
    this.#text(json, 'severity_text', parts.severityText);
    this.#text(json, 'event_name', parts.eventName);
    if (parts.body.to > 0) {
      this.#member(json, 'body', '');
      values.value(json, parts.body, 1);
    }
    if (parts.attributes.to > 0) {
      this.#member(json, 'attributes', '');
      values.attributes(json, parts.attributes, ATTRIBUTE_FIELDS.log, 2);
    }
    if (parts.droppedAttributes !== 0) this.#member(json, 'dropped_attributes_count', String(parts.droppedAttributes));
    this.#id(json, 'trace_id', parts.traceId);
    this.#id(json, 'span_id', parts.spanId);
    if (parts.flags !== 0) this.#member(json, 'flags', String(parts.flags));
    if (this.#tail.end > 0) {
      this.#comma(json);
      json.slice(this.#tail.bytes, 0, this.#tail.end);
    }
    put(json, '}');
  }

  /** Appends `"resource":{…}` or `"scope":{…}` to the tail, or nothing when there is nothing to tell. */
  #describe(
    name: string,
    { name: title, version, attributes, schemaUrl }: ScopeParts,
    field: number,
  ): SluiceError | null {
    const tail = this.#tail;
    const start = tail.end;
    if (start > 0) put(tail, ',');
    tail.ascii(`"${name}":{`);
    const inside = tail.end;
    try {
      if (title !== undefined) this.#text(tail, 'name', title);
      if (version !== undefined) this.#text(tail, 'version', version);
      if (attributes.to > 0) {
        this.#member(tail, 'attributes', '');
        this.#values.attributes(tail, attributes, field, 3);
      }
      this.#text(tail, 'schema_url', schemaUrl);
    } catch (error) {
      if (!isOfRecord(error)) throw error;
      tail.end = start;
      return error;
    }
    if (tail.end === inside) tail.end = start;
    else put(tail, '}');
    return null;
  }

  #member(json: JsonWriter, name: string, value: string): void {
    this.#comma(json);
    json.ascii(`"${name}":${value}`);
  }

  #text(json: JsonWriter, name: string, part: Part): void {
    if (part.to === 0 || part.to === part.from) return;
    this.#member(json, name, '');
    this.#values.text(json, part);
  }

  #id(json: JsonWriter, name: string, part: Part): void {
    if (part.to === 0 || part.to === part.from) return;
    this.#member(json, name, '');
    this.#values.id(json, part);
  }

  #comma(json: JsonWriter): void {
    if (json.bytes[json.end - 1] !== 0x7b) put(json, ',');
  }
}

/** Is one record beyond a limit, rather than the request no OTLP? */
function isOfRecord(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code !== 'DECODE_INVALID';
}
