import { MultipleErrors, ResponseError } from './package.ts';
import { SluiceError } from '../../api/index.ts';
import { KafkaError, protocolError } from '../common/errors.ts';
import { WireError } from './wire.ts';

/**
 * The answer also where it carries error codes, which the generated parsers throw: what they mean is the caller's to judge, entry by
 * entry, since one partition's error says nothing about the others.
 */
export async function answerOf<Response>(request: Promise<Response>): Promise<Response> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ResponseError) return (error as unknown as { response: Response }).response;
    throw error;
  }
}

/** Whatever a request rejects with, as an error that says what to do. */
export function kafkaError(error: unknown, doing: string): SluiceError {
  if (error instanceof SluiceError) return error;
  if (error instanceof MultipleErrors) {
    const first = error.errors.find((part) => typeof codeIn(part) === 'number') as unknown;
    const code = codeIn(first);
    if (code !== null) return protocolError(code, doing);
  }
  if (error instanceof WireError)
    return new KafkaError('KAFKA_UNREACHABLE', 'metadata', doing, 'the connection broke', error);
  return new KafkaError('KAFKA_REFUSED', 'fatal', doing, 'the answer cannot be read', error);
}

function codeIn(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('apiCode' in error)) return null;
  return typeof error.apiCode === 'number' ? error.apiCode : null;
}
