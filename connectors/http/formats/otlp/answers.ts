import { Refusal, type HttpAnswer } from 'sluice/toolkit';

export type OtlpEncoding = 'json' | 'protobuf';

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

const [VARINT, BYTES] = [0, 2];
const NOTHING = Buffer.alloc(0);
/** Codes of gRPC, by the status that says the same. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 408: 4, 413: 8, 429: 8, 503: 14 };
const UNKNOWN = 2;

/** An ExportLogsServiceResponse, in the encoding of the request. */
export function exported(encoding: OtlpEncoding, rejected: number, reason: string): HttpAnswer {
  const message = rejected === 0 ? '' : `${rejected} records were refused, the first one because of: ${reason}`;
  const bytes =
    encoding === 'json'
      ? Buffer.from(
          rejected === 0
            ? '{}'
            : JSON.stringify({ partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: message } }),
        )
      : rejected === 0
        ? NOTHING
        : field(1, Buffer.concat([number(1, rejected), field(2, Buffer.from(message))]));
  return { status: 200, content: { type: CONTENT_TYPES[encoding], bytes } };
}

/** A refusal as OTLP has it: a google.rpc.Status in the encoding of the request. */
export function statusAnswer(encoding: OtlpEncoding, refusal: Refusal): HttpAnswer {
  const code = CODES[refusal.status] ?? UNKNOWN;
  // Exporters drop what got a status that is not among those that OTLP retries, and this one is the network's fault.
  const status = refusal.status === 408 ? 503 : refusal.status;
  const bytes =
    encoding === 'json'
      ? Buffer.from(JSON.stringify({ code, message: refusal.message }))
      : Buffer.concat([number(1, code), field(2, Buffer.from(refusal.message))]);
  return { status, headers: refusal.headers, content: { type: CONTENT_TYPES[encoding], bytes } };
}

/** A field of bytes, in protobuf. */
function field(id: number, value: Buffer): Buffer {
  return Buffer.concat([varint((id << 3) | BYTES), varint(value.length), value]);
}

function number(id: number, value: number): Buffer {
  return Buffer.concat([varint((id << 3) | VARINT), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
