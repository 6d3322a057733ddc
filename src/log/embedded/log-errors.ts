import { SluiceError, type ErrorCode } from '../../api/index.ts';

/** What the system says when there is no room. */
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];
/** What it says when the process, or the machine, has no descriptor left. */
const NO_DESCRIPTORS: readonly unknown[] = ['EMFILE', 'ENFILE'];

export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** Works out what a failed call of the file system is to those who wait: `LOG_FULL` or `LOG_IO`. Both may work later. */
export function logError(error: unknown, action: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const code: ErrorCode = FULL.includes(errorCode(error)) ? 'LOG_FULL' : 'LOG_IO';
  const remedy = NO_DESCRIPTORS.includes(errorCode(error)) ? ', raise the limit of open files (`ulimit -n`)' : '';
  return new SluiceError(code, `${action}${remedy}`, { cause: error, retryable: true });
}

/** Never cut, never repaired by itself: somebody has to look. */
export function corruption(what: string, fault: string, cause?: unknown): SluiceError {
  const message = `reading ${what}: ${fault}; nothing was cut, see: sluice log check`;
  return new SluiceError('LOG_CORRUPT', message, cause === undefined ? {} : { cause });
}

export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}
