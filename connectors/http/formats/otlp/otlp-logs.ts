import { SluiceError } from 'sluice/api';
import { Refusal, Spare, type HttpAnswer } from 'sluice/toolkit';
import type { FormatRequest } from '../format.ts';
import type { Protocol, Taken } from '../protocol.ts';
import { exported, statusAnswer, type OtlpEncoding } from './answers.ts';
import { JsonLogs } from './json-logs.ts';
import { ProtobufLogs } from './protobuf-logs.ts';

/** Bodies are read in turns, so one reader alone would not do. */
const SPARE_READERS = 2;

/** The logs of OTLP/HTTP (1.x): a record for each LogRecord. */
export class OtlpLogs implements Protocol {
  readonly methods = ['POST'];
  readonly ownsPathsBelow = false;
  readonly #json = new Spare(SPARE_READERS, () => new JsonLogs());
  readonly #protobuf = new Spare(SPARE_READERS, () => new ProtobufLogs());

  greet({ headers }: FormatRequest): null {
    encodingOf(headers['content-type']);
    return null;
  }

  *read(request: FormatRequest, taken: Taken): Generator<void, HttpAnswer> {
    const encoding = encodingOf(request.headers['content-type']);
    const readers: Spare<JsonLogs | ProtobufLogs> = encoding === 'json' ? this.#json : this.#protobuf;
    const reader = readers.take();
    try {
      const { rejected, reason } = yield* reader.read(taken);
      return exported(encoding, rejected, reason);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      throw new Refusal(400, `this is no request of OTLP: ${error.message}; nothing of it was taken`);
    } finally {
      readers.give(reader);
    }
  }

  repeated({ headers }: FormatRequest): HttpAnswer {
    return exported(encodingOf(headers['content-type']), 0, '');
  }

  refused(refusal: Refusal, { headers }: FormatRequest): HttpAnswer {
    return statusAnswer(isProtobuf(mediaType(headers['content-type'])) ? 'protobuf' : 'json', refusal);
  }
}

function encodingOf(contentType: string | undefined): OtlpEncoding {
  const type = mediaType(contentType);
  if (isProtobuf(type)) return 'protobuf';
  if (type === 'application/json') return 'json';
  throw new Refusal(
    415,
    `the content type ${JSON.stringify(type)} is not known here; use application/x-protobuf or application/json`,
  );
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function isProtobuf(type: string): boolean {
  return type === 'application/x-protobuf' || type === 'application/protobuf';
}
