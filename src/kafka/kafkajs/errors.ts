import { SluiceError, type ErrorCode } from '../../api/index.ts';
import { meaningOf, type ErrorClass } from '../native/error-codes.ts';

/** What went wrong between this client and a cluster, and what to do about it. */
export class KafkajsError extends SluiceError {
  readonly class: ErrorClass;
  /** The error code of an answer; null where no answer came. */
  readonly protocolCode: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: { class: ErrorClass; cause?: unknown; protocolCode?: number | undefined },
  ) {
    const retryable = ['retry', 'metadata', 'coordinator'].includes(options.class);
    super(code, message, { retryable, cause: options.cause });
    this.class = options.class;
    this.protocolCode = options.protocolCode ?? null;
  }
}

/** Throws what an error code of an answer means; 0 means nothing. `doing` names the operation and its object. */
export function throwOnCode(code: number, doing: string, detail: string | null = null): void {
  if (code !== 0) throw codeError(code, doing, detail);
}

export function codeError(protocolCode: number, doing: string, detail: string | null = null): KafkajsError {
  const { name, class: errorClass, code, text } = meaningOf(protocolCode);
  const said = [
    errorClass === 'denied' ? 'the access control list does not allow it' : null,
    text,
    detail === '' ? null : detail,
  ].filter((part) => part !== null);
  const words = said.length === 0 ? name : `${said.join('; ')} (${name})`;
  return new KafkajsError(code, `${doing}: ${words}`, { class: errorClass, protocolCode });
}

export function isCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof KafkajsError && error.protocolCode !== null && codes.includes(error.protocolCode);
}

const TLS_CODES =
  /^(ERR_SSL|ERR_TLS|ERR_OSSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** What kafkajs rejects a request or a connection with, as an error that says what to do. */
export function libraryError(error: unknown, doing: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const { name, code } = error as { name?: string; code?: unknown };
  if (name === 'KafkaJSSASLAuthenticationError')
    return new KafkajsError('KAFKA_CREDENTIALS', doing, { class: 'fatal', cause: error });
  if (name === 'KafkaJSServerDoesNotSupportApiKey')
    return new KafkajsError('KAFKA_UNSUPPORTED', doing, { class: 'fatal', cause: error });
  if (typeof code === 'number' && name === 'KafkaJSProtocolError') return codeError(code, doing);
  if (typeof code === 'string' && TLS_CODES.test(code))
    return new KafkajsError('KAFKA_TLS', doing, { class: 'fatal', cause: error });
  if (/^KafkaJS(Connection|RequestTimeout)/.test(name ?? ''))
    return new KafkajsError('KAFKA_UNREACHABLE', doing, { class: 'metadata', cause: error });
  return new KafkajsError('KAFKA_REFUSED', `${doing}: the answer cannot be read`, { class: 'fatal', cause: error });
}
