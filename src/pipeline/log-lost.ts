import type { ErrorCode } from '../api/index.ts';
import { isSluiceError } from './as-sluice-error.ts';

const LOST: readonly ErrorCode[] = ['LOG_CLOSED', 'LOG_CORRUPT', 'KAFKA_FENCED'];

/** Nothing that this pipeline could do again will work: whoever started it opens the log anew. */
export function isLogLost(error: unknown): boolean {
  return isSluiceError(error) && LOST.includes(error.code);
}

/** Another hub goes on in this one's place: opened anew here, it would take the work back from it, and so for ever. */
export function isTakenOver(error: unknown): boolean {
  return isSluiceError(error) && error.code === 'KAFKA_FENCED';
}
