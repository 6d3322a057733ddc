import { SluiceError } from '../../api/index.ts';
import { KafkaError, ProtocolError, protocolError } from '../common/errors.ts';
import { closedMatter } from '../common/opening-matters.ts';

export function isCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof ProtocolError && codes.includes(error.protocolCode);
}

/** What kafkajs rejects a request with, as an error that says what to do. */
export function libraryError(
  error: unknown,
  doing: string,
  { broker, mayLackCredentials }: { readonly broker: string; readonly mayLackCredentials: boolean },
): SluiceError {
  const { name = '', code } = error as { name?: string; code?: unknown };
  if (name === 'KafkaJSServerDoesNotSupportApiKey')
    return new KafkaError('KAFKA_UNSUPPORTED', 'fatal', doing, `broker ${broker} does not know this request`, error);
  if (name === 'KafkaJSProtocolError' && typeof code === 'number') return protocolError(code, doing);
  const unreachable = (matter: string): KafkaError =>
    new KafkaError('KAFKA_UNREACHABLE', 'metadata', doing, matter, error);
  if (name === 'KafkaJSRequestTimeoutError')
    return unreachable(`broker ${broker} does not answer a request within its time-out`);
  return name.startsWith('KafkaJSConnection')
    ? unreachable(closedMatter(broker, mayLackCredentials))
    : asSluiceError(error, doing);
}

/** What is thrown beside that comes of an answer that makes no sense. */
export function asSluiceError(error: unknown, doing: string): SluiceError {
  if (error instanceof SluiceError) return error;
  return new KafkaError('KAFKA_REFUSED', 'fatal', doing, 'the answer cannot be read', error);
}
