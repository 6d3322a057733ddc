import { SluiceError } from 'sluice/api';
import { defaultCodecLimits, jsonSlices, JsonScanner, skipSpace } from 'sluice/codec';
import { Refusal, refusalAnswer, type HttpAnswer } from 'sluice/toolkit';
import { bodyFault, tooManyRecords } from '../faults.ts';
import type { FormatRequest } from '../format.ts';
import { TURN_BYTES, type Protocol, type Taken } from '../protocol.ts';
import { headersOf, keyOf, timestampOf, type Attributes } from './attributes.ts';
import { binaryAttributes } from './binary-mode.ts';
import { StructuredEvent } from './structured-event.ts';

export interface CloudEventsOptions {
  /** What becomes of events that are one JSON object: as they are, or as if they had come in binary mode. */
  readonly structured: 'keep' | 'unfold';
}

type Mode = 'binary' | 'structured' | 'batch';

const OPEN_BRACKET = 0x5b;
const BATCH_TYPE = 'application/cloudevents-batch';
const EVENT_TYPE = 'application/cloudevents';
const KEPT_TYPE = ['content-type', Buffer.from('application/cloudevents+json; charset=UTF-8')] as const;

/** CloudEvents 1.0 over HTTP in its three modes; records are as the Kafka binding has them. */
export class CloudEvents implements Protocol {
  readonly methods = ['POST', 'PUT'];
  readonly ownsPathsBelow = false;
  readonly #options: CloudEventsOptions;
  readonly #scanner = new JsonScanner(defaultCodecLimits);

  constructor(options: CloudEventsOptions) {
    this.#options = options;
  }

  greet(): null {
    return null;
  }

  *read(request: FormatRequest, taken: Taken): Generator<void, HttpAnswer> {
    const mode = modeOf(request.headers['content-type']);
    if (mode === 'binary') {
      const attributes = binaryAttributes(request.headers);
      taken.records.json.raw(taken.bytes);
      add(attributes, headersOf(attributes), taken, '');
    } else yield* this.#readJson(taken, mode);
    return { status: 200, body: { records: taken.records.count } };
  }

  repeated(): HttpAnswer {
    return { status: 200, body: { repeated: true } };
  }

  refused(refusal: Refusal): HttpAnswer {
    return refusalAnswer(refusal);
  }

  *#readJson(taken: Taken, mode: 'structured' | 'batch'): Generator<void, void> {
    const { bytes, records } = taken;
    checkShape(bytes, mode);
    const keeps = this.#options.structured === 'keep';
    const slices = jsonSlices(bytes, { scanner: this.#scanner, maxRecordBytes: bytes.length });
    const event = new StructuredEvent();
    let turnEnd = TURN_BYTES;
    while (slices.next()) {
      if (records.count === taken.maxRecords) throw tooManyRecords(taken.maxRecords);
      const place = mode === 'batch' ? `event ${records.count + 1}: ` : '';
      event.read(bytes, slices.start, slices.end, place);
      if (keeps) records.json.slice(bytes, slices.start, slices.end);
      else records.json.raw(event.data());
      add(event.attributes, keeps ? [KEPT_TYPE] : headersOf(event.attributes), taken, place);
      if (slices.end < turnEnd) continue;
      turnEnd = slices.end + TURN_BYTES;
      yield;
    }
    if (slices.fault !== null) throw bodyFault(bytes, slices.fault, { format: 'json', isGuessed: false });
  }
}

function modeOf(contentType: string | undefined): Mode {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const [base = '', suffix = 'json'] = type.split('+', 2);
  if (base !== BATCH_TYPE && base !== EVENT_TYPE) return 'binary';
  if (suffix === 'json') return base === BATCH_TYPE ? 'batch' : 'structured';
  throw new Refusal(415, `events in ${JSON.stringify(type)} are not taken; send ${base}+json`);
}

function checkShape(bytes: Buffer, mode: 'structured' | 'batch'): void {
  const isArray = bytes[skipSpace(bytes, 0, bytes.length)] === OPEN_BRACKET;
  if (isArray === (mode === 'batch')) return;
  const remedy = isArray
    ? `an array of events is sent as ${BATCH_TYPE}+json`
    : `a batch is a JSON array of events; send one event as ${EVENT_TYPE}+json`;
  throw new Refusal(400, `${remedy}; nothing of this request was taken`);
}

function add(
  attributes: Attributes,
  headers: readonly (readonly [name: string, value: Buffer])[],
  { nowMs, records, shared }: Taken,
  place: string,
): void {
  records.share([...headers, ...shared]);
  try {
    records.add(timestampOf(attributes, nowMs), keyOf(attributes));
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    throw new Refusal(413, `${place}${error.message}; nothing of this request was taken`, {
      fields: { code: error.code },
    });
  }
}
