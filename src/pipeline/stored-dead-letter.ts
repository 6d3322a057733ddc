import type { Headers, TopicPartition } from '../api/index.ts';
import type { RecordView } from '../record/index.ts';
import { HOPS_HEADER, ID_HEADER } from './dead-letter.ts';

/** A record that was refused, as it lies in a dead-letter topic. Key, value and headers are copies of their own. */
export interface StoredDeadLetter {
  /** The refused record's id; for input that never became a record, where its first dead letter lay. */
  readonly id: string;
  readonly pipeline: string;
  /** The leg's name, and its connector's. */
  readonly leg: string;
  readonly connector: string;
  readonly stage: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  /** How often it was refused: 1, and more after replays. */
  readonly hops: number;
  /** Milliseconds since the epoch; NaN when its headers do not tell. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** The topic it was read from or meant for. */
  readonly topic: string;
  /** Where a sink read it; null for what a source refused. */
  readonly origin: (TopicPartition & { readonly offset: number }) | null;
  /** Where it stood in a source's input, as the source words it. */
  readonly sourcePosition: string | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Its own, and those that tell why it was refused. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
  /** Set when the dead-letter topic did not take all of it: key, value and headers are only where it stood. */
  readonly reference: { readonly length: number; readonly digest: string } | null;
  /** The record's own, in milliseconds since the epoch. */
  readonly timestamp: number;
  /** Where the dead letter itself lies. */
  readonly stored: { readonly topic: string; readonly partition: number; readonly offset: number };
  readonly isParked: boolean;
}

/** `partition`: of the topic that `records` were read from. */
export function storedDeadLetter(
  records: RecordView,
  index: number,
  { partition: at, isParked }: { readonly partition: TopicPartition; readonly isParked: boolean },
): StoredDeadLetter {
  const headers = Array.from(records.headers(index), ([name, value]) => [name, copyOf(value)] as const);
  const header = headerReader(headers);
  const origin = originOf(header);
  const position = header('sluice.errors.source_position');
  return {
    id: idOf(records, index, origin, header),
    pipeline: header('sluice.errors.pipeline'),
    leg: header('__connect.errors.connector.name'),
    connector: header('__connect.errors.class.name'),
    stage: header('__connect.errors.stage'),
    code: header('sluice.errors.code'),
    message: header('__connect.errors.exception.message'),
    attempts: Number(header('sluice.errors.attempts')),
    hops: Number(header(HOPS_HEADER)) || 1,
    firstAt: Date.parse(header('sluice.errors.first_at')),
    lastAt: Date.parse(header('sluice.errors.last_at')),
    topic: header('__connect.errors.topic'),
    origin,
    sourcePosition: position === '' ? null : position,
    key: copyOf(records.key(index)),
    value: copyOf(records.value(index)),
    headers,
    reference:
      header('sluice.errors.by_ref') === 'true'
        ? { length: Number(header('sluice.errors.length')), digest: header('sluice.errors.digest') }
        : null,
    timestamp: records.timestamp(index),
    stored: { topic: at.topic, partition: at.partition, offset: records.offset(index) },
    isParked,
  };
}

/** The same id, without copies. */
export function storedDeadLetterId(records: RecordView, index: number): string {
  const header = headerReader(records.headers(index));
  return idOf(records, index, originOf(header), header);
}

/** '' for a header that is not there. */
type HeaderReader = (name: string) => string;

function idOf(records: RecordView, index: number, origin: StoredDeadLetter['origin'], header: HeaderReader): string {
  if (origin !== null) return `${origin.topic}+${origin.incarnation}+${origin.partition}+${origin.offset}`;
  const kept = header(ID_HEADER);
  return kept === '' ? records.id(index) : kept;
}

function originOf(header: HeaderReader): StoredDeadLetter['origin'] {
  const [topic, incarnation] = [header('__connect.errors.topic'), header('sluice.errors.incarnation')];
  const [partition, offset] = [header('__connect.errors.partition'), header('__connect.errors.offset')];
  if ([topic, incarnation, partition, offset].includes('')) return null;
  return { topic, incarnation, partition: Number(partition), offset: Number(offset) };
}

function headerReader(headers: Headers): HeaderReader {
  const found = new Map<string, Uint8Array | null>();
  for (const [name, value] of headers) found.set(name, value);
  return (name) => textOf(found.get(name) ?? null);
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

function copyOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Uint8Array.from(bytes);
}
