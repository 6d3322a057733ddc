import { SluiceError } from '../api/index.ts';
import { explainTlsFailure } from './client-tls.ts';
import { ProxyRefused } from './http-connector.ts';

const MAX_MESSAGE = 300;
const MIB = 1024 * 1024;

export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';

  constructor(maxBytes: number) {
    super(`the answer is larger than ${maxBytes >= MIB ? `${maxBytes / MIB} MiB` : `${maxBytes} bytes`}`);
  }
}

interface Attempt {
  /** `POST http://host/path`. */
  readonly doing: string;
  readonly timeoutMs: number;
  readonly isLate: boolean;
}

/** Why there is no answer. What undici throws is never passed on whole: it may hold the request, credentials included. */
export function explainHttpFailure(error: unknown, { doing, timeoutMs, isLate }: Attempt): SluiceError {
  const blocked = (reason: string): SluiceError => new SluiceError('SINK_BLOCKED', `${doing}: ${reason}`);
  const away = (reason: string): SluiceError =>
    new SluiceError('SINK_UNAVAILABLE', `${doing}: ${reason}`, { retryable: true });
  // One of ours, such as a denied address, in the clothes of a connection that failed.
  const own = ownError(error);
  if (own !== null) return new SluiceError(own.code, `${doing}: ${own.message}`, { retryable: own.retryable });
  if (error instanceof ProxyRefused) {
    if (error.status === 407) return blocked('the proxy refuses us (407); check `proxy.basic`');
    return away(`${error.message} to CONNECT`);
  }
  if (isLate) return away(`no answer within ${timeoutMs / 1000} s`);
  const message = messageOf(error);
  const tls = explainTlsFailure(message);
  if (tls !== null) return blocked(`TLS: ${tls}`);
  return away(message);
}

function ownError(error: unknown): SluiceError | null {
  let next = error;
  for (let depth = 0; depth < 3 && next instanceof Error; depth++) {
    if (next instanceof SluiceError) return next;
    next = next.cause;
  }
  return null;
}

/** What undici calls some of it says nothing to people. */
const WORDS: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'the connection was closed before the answer was there',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer is shorter or longer than its Content-Length',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too large',
  ECONNRESET: 'the connection was reset',
};

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_MESSAGE);
  // One for each address that was tried, behind an empty message.
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  const { code = '' } = error as NodeJS.ErrnoException;
  if (error.name === 'HTTPParserError') return 'something answers that is no HTTP';
  return WORDS[code] ?? error.message.split('\n', 1)[0]!.slice(0, MAX_MESSAGE);
}
