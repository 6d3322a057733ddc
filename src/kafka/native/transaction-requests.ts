import { kafka, type API } from './package.ts';

const END_TXN = 26;
const TXN_OFFSET_COMMIT = 28;

export const initProducerIdApis: readonly (typeof kafka.initProducerIdV0.api)[] = [
  kafka.initProducerIdV0.api,
  kafka.initProducerIdV1.api,
  kafka.initProducerIdV2.api,
  kafka.initProducerIdV3.api,
  kafka.initProducerIdV4.api,
  kafka.initProducerIdV5.api,
];

/** From here on a producer can say who it is, which raises its epoch, or tells that it was fenced. Kafka 2.5. */
export const FIRST_INIT_WITH_EPOCH = 3;

/** Kafka 3.0. */
export const describeTransactionsApis: readonly (typeof kafka.describeTransactionsV0.api)[] = [
  kafka.describeTransactionsV0.api,
];

/** Versions from 4 on are for brokers among themselves. */
export const addPartitionsToTxnApis: readonly (typeof kafka.addPartitionsToTxnV0.api)[] = [
  kafka.addPartitionsToTxnV0.api,
  kafka.addPartitionsToTxnV1.api,
  kafka.addPartitionsToTxnV2.api,
  kafka.addPartitionsToTxnV3.api,
];

export const addOffsetsToTxnApis: readonly (typeof kafka.addOffsetsToTxnV0.api)[] = [
  kafka.addOffsetsToTxnV0.api,
  kafka.addOffsetsToTxnV1.api,
  kafka.addOffsetsToTxnV2.api,
  kafka.addOffsetsToTxnV3.api,
];

export interface EndTxnAnswer {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
}

type EndTxnArguments = [transactionalId: string, producerId: bigint, producerEpoch: number, committed: boolean];

/** What ends a transaction of protocol 1. */
export const endTxnApis: readonly API<EndTxnArguments, EndTxnAnswer>[] = [
  kafka.endTxnV0.api,
  kafka.endTxnV1.api,
  kafka.endTxnV2.api,
  kafka.endTxnV3.api,
];

export interface EndTxnProtocol2Answer extends EndTxnAnswer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/**
 * What ends a transaction of protocol 2: it answers with the identity of the next one. The package stops at version 4, whose request it shares.
 *
 *     EndTxn Response (Version: 5) => throttle_time_ms error_code producer_id producer_epoch TAG_BUFFER
 */
export const endTxnProtocol2Apis: readonly API<EndTxnArguments, EndTxnProtocol2Answer>[] = [
  kafka.createAPI(END_TXN, 5, kafka.endTxnV4.createRequest, (_correlationId, _apiKey, _version, reader) => ({
    throttleTimeMs: reader.readInt32(),
    errorCode: reader.readInt16(),
    producerId: reader.readInt64(),
    producerEpoch: reader.readInt16(),
  })),
];

export type TxnOffsetCommitArguments = Parameters<typeof kafka.txnOffsetCommitV3.createRequest>;
type TxnOffsetCommitApi = typeof kafka.txnOffsetCommitV3.api;

export const txnOffsetCommitApis: readonly TxnOffsetCommitApi[] = [
  kafka.txnOffsetCommitV0.api,
  kafka.txnOffsetCommitV1.api,
  kafka.txnOffsetCommitV2.api,
  kafka.txnOffsetCommitV3.api,
];

/** Adds the group to the transaction by itself. Laid out as version 4, which is the last one of the package. */
export const txnOffsetCommitProtocol2Apis: readonly TxnOffsetCommitApi[] = [
  kafka.createAPI(TXN_OFFSET_COMMIT, 5, kafka.txnOffsetCommitV4.createRequest, kafka.txnOffsetCommitV4.parseResponse),
];
