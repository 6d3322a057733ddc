import { isUtf8 } from 'node:buffer';
import { Refusal } from 'sluice/toolkit';

/** Of a CloudEvent, by name, as the bytes that the header of a record holds. */
export type Attributes = Map<string, Buffer>;

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;
const SPEC_VERSION = '1.0';
/** The extension whose value becomes the key. */
const PARTITION_KEY = 'partitionkey';
const NAME = /^[a-z0-9]+$/;
/** RFC 3339, in the breadth that it allows. */
const TIME = /^\d{4}-\d\d-\d\dt\d\d:\d\d:\d\d(?:\.\d+)?(?:z|[+-]\d\d:\d\d)$/i;

/** Throws a 400 that names the attribute which is missing or wrong. `place` says which event it is, where a request holds several. */
export function checkAttributes(attributes: Attributes, place = ''): void {
  for (const name of REQUIRED) {
    if ((attributes.get(name)?.length ?? 0) === 0)
      throw badAttribute(name, 'is missing, and every event has it', place);
  }
  const version = attributes.get('specversion')!.toString();
  if (version !== SPEC_VERSION)
    throw badAttribute(
      'specversion',
      `is ${JSON.stringify(version)}; events of version ${SPEC_VERSION} are taken`,
      place,
    );
  const time = attributes.get('time')?.toString();
  if (time !== undefined && timeOf(time) === null)
    throw badAttribute('time', `is ${JSON.stringify(time)}, which is no RFC 3339 time`, place);
}

export function checkName(name: string, place = ''): void {
  if (!NAME.test(name))
    throw badAttribute(name, 'is no name of an attribute; they have lower-case letters and digits', place);
}

export function badAttribute(name: string, fault: string, place = ''): Refusal {
  return new Refusal(400, `${place}the attribute ${JSON.stringify(name)} ${fault}; nothing of this request was taken`, {
    fields: { attribute: name },
  });
}

/** When it happened, if the event says so and a record can hold it. */
export function timestampOf(attributes: Attributes, nowMs: number): number {
  const time = attributes.get('time');
  const milliseconds = time === undefined ? null : timeOf(time.toString());
  return milliseconds === null || milliseconds < 0 ? nowMs : milliseconds;
}

export function keyOf(attributes: Attributes): Buffer | null {
  return attributes.get(PARTITION_KEY) ?? null;
}

/** As the Kafka binding has it: attributes are headers `ce_…`, the type of the data is `content-type`. */
export function headersOf(attributes: Attributes): (readonly [name: string, value: Buffer])[] {
  return [...attributes].map(([name, value]) => [name === 'datacontenttype' ? 'content-type' : `ce_${name}`, value]);
}

/**
 * The value of a header `ce-…`: double quotes around it are taken away, percent-encoded bytes decoded (HTTP binding, 3.1.3.2). What is no encoding stays,
 * since many senders do not encode `%`. Null when what comes out is no UTF-8.
 */
export function decodeHeader(value: string): Buffer | null {
  const bytes = Buffer.from(unquoted(value), 'latin1');
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] === 0x25 ? hexByte(bytes, at + 1) : -1;
    bytes[end++] = byte < 0 ? bytes[at]! : byte;
    if (byte >= 0) at += 2;
  }
  const decoded = bytes.subarray(0, end);
  return isUtf8(decoded) ? decoded : null;
}

function unquoted(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}

/** -1 when there are no two hex digits. */
function hexByte(bytes: Buffer, at: number): number {
  const text = bytes.toString('latin1', at, at + 2);
  return /^[0-9a-f]{2}$/i.test(text) ? Number.parseInt(text, 16) : -1;
}

function timeOf(text: string): number | null {
  const milliseconds = TIME.test(text) ? Date.parse(text.toUpperCase()) : NaN;
  return Number.isNaN(milliseconds) ? null : milliseconds;
}
