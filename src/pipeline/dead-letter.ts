import { createHash } from 'node:crypto';
import { describeError, type Headers, type SluiceError, type TopicPartition } from '../api/index.ts';
import { bufferBytesFor } from '../record/index.ts';

const MAX_MESSAGE_BYTES = 1024;
const MAX_STACK_BYTES = 8192;
/** What is left of a letter that its topic does not take otherwise. */
const UNTRIMMED: Limits = { messageBytes: MAX_MESSAGE_BYTES, stackBytes: MAX_STACK_BYTES, byReference: false };
const TRIMMED: Limits = { messageBytes: 128, stackBytes: 0, byReference: false };
const BY_REFERENCE: Limits = { ...TRIMMED, byReference: true };
const OURS = /^(?:__connect\.errors\.|sluice\.errors\.)/;
const VERSION = '1';

interface Limits {
  readonly messageBytes: number;
  readonly stackBytes: number;
  /** Without key, value and headers of its own. */
  readonly byReference: boolean;
}

/** Names a letter that has no place in a topic of its own, for all of its lives. */
export const ID_HEADER = 'sluice.errors.id';
export const HOPS_HEADER = 'sluice.errors.hops';
/** Refused so often, a record is parked instead of being replayed once more. */
export const MAX_HOPS = 3;

/** Which part of a leg refused a record. */
export type Stage = 'source' | 'key' | 'where' | 'write';

/** What was being done when a record was refused, as the header `__connect.errors.stage` has it. */
export const STAGES = ['source', 'decode', 'key', 'where', 'template', 'write'] as const;

/** Where dead letters go. */
export interface DeadLetterTarget {
  readonly topic: string;
  readonly partitions: number;
  /** What the topic takes at the most as one batch. */
  readonly maxBatchBytes: number;
}

/** What all dead letters of a leg share. */
export interface DeadLetterOrigin {
  readonly pipeline: string;
  readonly configHash: string;
  /** The leg's name. */
  readonly leg: string;
  readonly connector: string;
  readonly topic: string;
}

/** Why a record was refused. Times are milliseconds since the epoch. */
export interface Refusal {
  readonly stage: Stage;
  readonly error: SluiceError;
  readonly attempts: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Where it stood: in the topic, or in a source's input as the source words it; '' when only the record tells. */
export type Place = TopicPlace | { readonly position: string };

export interface TopicPlace {
  readonly partition: TopicPartition;
  readonly offset: number;
}

export interface RefusedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** A record on its way to the dead-letter topic. */
export interface DeadLetter {
  readonly partition: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
  /** At most so many bytes of buffer it takes. */
  readonly byteLength: number;
}

/**
 * Key, value, headers and timestamp stay raw; the cause comes in headers under the names of Kafka Connect and our own. Headers of an earlier life as a
 * dead letter are replaced, and its hops counted on. `partition` is the one of the dead-letter topic. Where its batch would be larger than `maxBatchBytes`, the stack goes
 * first, then most of the message, at last the record itself: what is left refers to where it lies in its topic, with its length and digest, or holds its beginning if it
 * came from a source. Nothing is copied: valid as long as the record is.
 */
export function createDeadLetter(
  record: RefusedRecord,
  refusal: Refusal,
  context: {
    readonly origin: DeadLetterOrigin;
    readonly place: Place;
    readonly partition: number;
    readonly maxBatchBytes: number;
  },
): DeadLetter {
  for (const limits of [UNTRIMMED, TRIMMED]) {
    const letter = letterWithin(limits, record, refusal, context);
    if (letter.byteLength <= context.maxBatchBytes) return letter;
  }
  const letter = letterWithin(BY_REFERENCE, record, refusal, context);
  if (!('position' in context.place) || record.value === null) return letter;
  // Nobody but this letter may still have what a source refused: as much of it as fits.
  const value = record.value.subarray(0, Math.max(0, context.maxBatchBytes - letter.byteLength));
  return { ...letter, value, byteLength: letter.byteLength + value.length };
}

function letterWithin(
  limits: Limits,
  record: RefusedRecord,
  refusal: Refusal,
  context: { readonly origin: DeadLetterOrigin; readonly place: Place; readonly partition: number },
): DeadLetter {
  const headers: (readonly [string, Uint8Array | null])[] = [];
  let hops = 0;
  for (const [name, value] of record.headers) {
    if (name === HOPS_HEADER) hops = Number(textOf(value)) || 0;
    const isItsName = name === ID_HEADER && 'position' in context.place;
    if (isItsName || (!OURS.test(name) && !limits.byReference)) headers.push([name, value]);
  }
  for (const [name, text] of causeHeaders(refusal, limits, { ...context, hops: hops + 1 })) {
    headers.push([name, Buffer.from(text)]);
  }
  if (limits.byReference) for (const [name, text] of referenceHeaders(record)) headers.push([name, Buffer.from(text)]);
  const { key, value } = limits.byReference ? { key: null, value: null } : record;
  let payloadBytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, value] of headers) payloadBytes += Buffer.byteLength(name) + (value?.length ?? 0);
  const { timestamp } = record;
  const byteLength = bufferBytesFor(payloadBytes, headers.length);
  return { partition: context.partition, key, value, timestamp, headers, byteLength };
}

function causeHeaders(
  { stage, error, attempts, firstAt, lastAt }: Refusal,
  limits: Limits,
  { origin, place, hops }: { origin: DeadLetterOrigin; place: Place; hops: number },
): [string, string][] {
  const where: [string, string][] =
    'position' in place
      ? place.position === ''
        ? []
        : [['sluice.errors.source_position', trimmed(place.position, MAX_MESSAGE_BYTES)]]
      : [
          ['__connect.errors.partition', String(place.partition.partition)],
          ['__connect.errors.offset', String(place.offset)],
          // With topic, partition and offset it tells repeats of one dead letter from another record's.
          ['sluice.errors.incarnation', place.partition.incarnation],
        ];
  return [
    ['__connect.errors.topic', 'position' in place ? origin.topic : place.partition.topic],
    ...where,
    ['__connect.errors.connector.name', origin.leg],
    ['__connect.errors.task.id', '0'],
    ['__connect.errors.stage', doneIn(stage, error)],
    ['__connect.errors.class.name', origin.connector],
    ['__connect.errors.exception.class.name', error.name],
    ['__connect.errors.exception.message', trimmed(describeError(error), limits.messageBytes)],
    ['__connect.errors.exception.stacktrace', trimmed(error.stack ?? '', limits.stackBytes)],
    ['sluice.errors.v', VERSION],
    ['sluice.errors.pipeline', origin.pipeline],
    ['sluice.errors.config_hash', origin.configHash],
    ['sluice.errors.code', error.code],
    ['sluice.errors.attempts', String(attempts)],
    ['sluice.errors.first_at', new Date(firstAt).toISOString()],
    ['sluice.errors.last_at', new Date(lastAt).toISOString()],
    [HOPS_HEADER, String(hops)],
  ];
}

/** Whoever fetches the record from where it lies can tell that it is the same. */
function referenceHeaders({ key, value }: RefusedRecord): [string, string][] {
  return [
    ['sluice.errors.by_ref', 'true'],
    ['sluice.errors.length', String((key?.length ?? 0) + (value?.length ?? 0))],
    ['sluice.errors.digest', digestOf(key, value)],
  ];
}

/** `sha256:` and the hex digits of the bytes of key and value, one after the other. */
export function digestOf(key: Uint8Array | null, value: Uint8Array | null): string {
  const hash = createHash('sha256');
  for (const bytes of [key, value]) if (bytes !== null) hash.update(bytes);
  return `sha256:${hash.digest('hex')}`;
}

/** A source and a sink decode records, and a sink renders templates, before they do what they are for. */
function doneIn(stage: Stage, { code }: SluiceError): (typeof STAGES)[number] {
  if (stage !== 'source' && stage !== 'write') return stage;
  if (code.startsWith('DECODE_')) return 'decode';
  return stage === 'write' && (code === 'EXPRESSION_FAILED' || code === 'TEMPLATE_ESCAPED') ? 'template' : stage;
}

/** At most `limit` bytes, cut between characters. */
function trimmed(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString();
}
