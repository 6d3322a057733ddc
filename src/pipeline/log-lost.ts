import { isSluiceError } from './as-sluice-error.ts';

/** Nothing that this pipeline could do again will work: whoever started it opens the log anew. */
export function isLogLost(error: unknown): boolean {
  return isSluiceError(error) && (error.code === 'LOG_CLOSED' || error.code === 'LOG_CORRUPT');
}
