/**
 * The closed catalogue of error codes: what each means to the person who reads it. A test holds it against
 * `docs/errors.md`. Problems of configuration (`CONFIG_…`) are listed in `src/config/problems.ts`.
 */
export const errorCatalogue = {
  RECORD_TOO_LARGE: 'A record is larger than the record limit.',
  RECORD_CORRUPT: 'Stored bytes are not a valid record batch: wrong length, checksum or varint.',
  RECORD_UNSUPPORTED: 'A record batch uses a format or a compression that this build cannot read.',
  ARCHIVE_DAMAGED:
    'A compressed file is damaged or ends too early; what it holds before that place was read, the rest is lost unless the file is mended.',
  DECODE_INVALID: 'A value is not what the decoder expects.',
  DECODE_DEPTH: 'A value is nested deeper than the limit.',
  DECODE_KEYS: 'A value has more distinct keys than the limit.',
  EXPRESSION_INVALID: 'An expression or a template does not compile.',
  EXPRESSION_FAILED: 'An expression could not be evaluated for a record.',
  TEMPLATE_ESCAPED: 'A rendered name left its literal prefix or has characters that names may not have.',
  LOG_CORRUPT: 'The embedded log or its journal is damaged in a way that is never cut by itself.',
  LOG_IO: 'Reading or writing the embedded log did not work.',
  LOG_FULL: 'The disk or the topic is full; input is refused until there is room.',
  LOG_CLOSED: 'The topic log was closed while the operation waited.',
  DATA_FOLDER_IN_USE: 'Another hub holds the data folder.',
  TOPIC_CHANGED: 'A topic is not the one that the saved state speaks of.',
  TOPIC_UNKNOWN: 'A topic does not exist.',
  KAFKA_UNREACHABLE: 'No broker of a Kafka cluster answers.',
  KAFKA_CREDENTIALS: 'A Kafka cluster refuses the credentials.',
  KAFKA_TLS:
    'A TLS connection to Kafka cannot be made: plaintext against TLS, an unknown authority, a missing certificate.',
  KAFKA_DENIED: 'The access control of a Kafka cluster does not allow an operation.',
  KAFKA_UNSUPPORTED: 'The brokers are too old for what is asked of them.',
  KAFKA_FENCED: 'Another instance took over the transactional id or the member.',
  KAFKA_REBALANCED: 'The consumer group has given the partition to another member.',
  KAFKA_TRANSACTION: 'A transaction was aborted; its records are sent again.',
  KAFKA_REFUSED: 'A broker refused a request for good.',
  KAFKA_CLOSED: 'The Kafka client was closed while the operation waited.',
  SOURCE_FAILED: 'A source could not go on; it is restarted from its checkpoints.',
  SINK_UNAVAILABLE: 'A sink cannot be reached or is overloaded; it is tried again.',
  SINK_REJECTED: 'A sink refused a record for good.',
  SINK_BLOCKED: 'A sink needs an operator: credentials, permissions or a read-only target.',
  SINK_CONFLICT: 'Another writer owns the target of a sink.',
  JOB_FAILED: 'The job of a batch failed, was ended at its deadline, or was ended by somebody.',
  CONNECTOR_BUG: 'A connector threw something that is no SluiceError.',
  DEAD_LETTER_OFF: 'A record was refused and the pipeline has no dead-letter topic.',
  LISTENER_IN_USE: 'The address of a listener is taken.',
  REFERENCE_UNRESOLVED: 'A reference such as ${env:NAME} has no value, or its provider is not allowed.',
  OPTION_INVALID: 'An option has a value that its connector cannot use.',
  WORKER_LOST: 'A worker ended, was blocked past the deadline, or grew past its budget.',
  TIMEOUT: 'Something took longer than its deadline.',
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

/**
 * The one error class. The message starts with the action ("posting bulk request: HTTP 503"), quotes its object, has no
 * full stop and never a secret; what lies behind it is the `cause`.
 */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  /** May the same call succeed later? For a refused record its disposition decides. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The message of anything thrown, with the messages of its causes: `saving "x": ENOSPC: no space left on device`. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let next: unknown = error;
  for (let depth = 0; next !== undefined && next !== null && depth < 5; depth++) {
    const current: unknown = next;
    const isErrorLike = typeof current === 'object' && current !== null && 'message' in current;
    parts.push(String(isErrorLike ? current.message : current));
    next = isErrorLike && 'cause' in current ? current.cause : undefined;
  }
  return parts.join(': ');
}
