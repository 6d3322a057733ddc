import { SluiceError } from '../../api/index.ts';
import { readBatchHeader } from '../../record/index.ts';
import { KafkaError, protocolError } from '../common/errors.ts';
import { kafkaError } from './errors.ts';
import type { ProducedPartition } from './produce-request.ts';
import type { ProducerBatch } from './producer-batch.ts';

/** What became of a batch that flew. */
export type ProduceOutcome =
  | { readonly type: 'written'; readonly baseOffset: number }
  /** To be sent again as it is; `lookUp`: after asking for the leader. */
  | {
      readonly type: 'again';
      readonly reason: string;
      readonly lookUp: boolean;
      readonly isTopicUnknown: boolean;
    }
  /** The broker expects another sequence; `isIdLost`: it does not take this producer id and epoch at all. */
  | { readonly type: 'sequence'; readonly error: KafkaError; readonly isIdLost: boolean }
  /** For good. */
  | { readonly type: 'refused'; readonly error: SluiceError };

const UNKNOWN_SERVER_ERROR = -1;
const CORRUPT_MESSAGE = 2;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const DUPLICATE_SEQUENCE_NUMBER = 46;
const INVALID_PRODUCER_EPOCH = 47;
const INVALID_PRODUCER_ID_MAPPING = 49;
const UNKNOWN_PRODUCER_ID = 59;
const PRODUCER_FENCED = 90;

const sequenceCodes = new Set([OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID]);
const identityCodes = new Set([INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED]);

/** `knowsZstd`: Kafka 2.1 and later; older brokers answer as if they had failed. */
export function outcomeOf(answer: ProducedPartition, batch: ProducerBatch, knowsZstd = true): ProduceOutcome {
  const { errorCode, baseOffset, message } = answer;
  if (errorCode === 0) return { type: 'written', baseOffset };
  // It has this batch, and five more behind it, so it no longer knows where.
  if (errorCode === DUPLICATE_SEQUENCE_NUMBER) return { type: 'written', baseOffset: -1 };
  const doing = doingOf(batch);
  const error = protocolError(errorCode, doing, message);
  if (errorCode === UNKNOWN_SERVER_ERROR && !knowsZstd && readBatchHeader(batch.bytes, 0).compression === 'zstd') {
    const matter = 'the compression zstd needs Kafka 2.1 or later';
    return { type: 'refused', error: new KafkaError('KAFKA_UNSUPPORTED', 'fatal', doing, matter) };
  }
  if (sequenceCodes.has(errorCode)) return { type: 'sequence', error, isIdLost: false };
  if (identityCodes.has(errorCode)) return { type: 'sequence', error, isIdLost: true };
  if (errorCode === CORRUPT_MESSAGE)
    return { type: 'refused', error: new KafkaError('KAFKA_REFUSED', 'fatal', doing, error.matter) };
  if (!error.retryable) return { type: 'refused', error };
  return {
    type: 'again',
    reason: `${placeOf(batch)}: ${error.matter}`,
    lookUp: error.class !== 'retry',
    isTopicUnknown: errorCode === UNKNOWN_TOPIC_OR_PARTITION,
  };
}

/** There is no answer: it may be written or not. */
export function outcomeWithout(cause: unknown, batch: ProducerBatch): ProduceOutcome {
  const error = kafkaError(cause, doingOf(batch));
  if (!error.retryable) return { type: 'refused', error };
  const matter = error instanceof KafkaError ? error.matter : error.message;
  return { type: 'again', reason: `${placeOf(batch)}: ${matter}`, lookUp: true, isTopicUnknown: false };
}

/** An answer that leaves out a batch says nothing about it. */
export const unanswered = new KafkaError('KAFKA_UNREACHABLE', 'retry', 'producing', 'the broker left it out');

function doingOf(batch: ProducerBatch): string {
  return `producing ${batch.bytes.length} bytes to ${placeOf(batch)}`;
}

function placeOf({ owner }: ProducerBatch): string {
  return `partition ${owner.partition} of topic ${JSON.stringify(owner.topic)}`;
}
