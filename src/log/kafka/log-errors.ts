import { SluiceError, type ErrorCode } from '../../api/index.ts';

export function closedError(action: string): SluiceError {
  return new SluiceError('LOG_CLOSED', `${action}: the log is closed`);
}

export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is SluiceError {
  return error instanceof SluiceError && codes.includes(error.code);
}

/** What a producer rejects with, in the words of the topic log. */
export function writeError(error: unknown, action: string): SluiceError {
  if (hasCode(error, 'KAFKA_CLOSED')) return closedError(action);
  if (hasCode(error, 'KAFKA_FENCED')) return fencedError(action, error);
  if (hasCode(error, 'RECORD_TOO_LARGE', 'KAFKA_REBALANCED', 'LOG_IO', 'LOG_CLOSED', 'LOG_CORRUPT')) return error;
  // Access rights are granted, topics made, settings changed: later it may work.
  return new SluiceError('LOG_IO', action, { retryable: true, cause: error });
}

/** What reading rejects with. Errors that an operator mends keep their codes, and pause the leg. */
export function readError(error: unknown, action: string): unknown {
  if (hasCode(error, 'KAFKA_CLOSED')) return closedError(action);
  return hasCode(error, 'KAFKA_FENCED') ? fencedError(action, error) : error;
}

/** Of a source: it starts again from what is saved of the partitions that it has then. */
export function rebalancedError(action: string): SluiceError {
  const message = `${action}: its consumer group gave a partition to another hub`;
  return new SluiceError('KAFKA_REBALANCED', message, { retryable: true });
}

export function fencedError(action: string, cause?: SluiceError): SluiceError {
  const message = `${action}: another hub with the same identity took over, this one stops for good`;
  return new SluiceError('KAFKA_FENCED', message, { cause });
}
