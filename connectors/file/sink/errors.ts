import { SluiceError } from 'sluice/api';

/** Waiting does not help these: an operator has to change something. */
const needsOperator = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EXDEV', 'EMLINK', 'ENOTSUP']);

/** What a failed call to the file system means to the engine. `doing` is the action with its object: `writing "x"`. */
export function fileError(error: unknown, doing: string): SluiceError {
  if (isSluiceError(error)) return error;
  const code = errorCode(error);
  if (code === 'EMFILE' || code === 'ENFILE') {
    const remedy = 'raise the limit of open files (`ulimit -n`)';
    return new SluiceError('SINK_UNAVAILABLE', `${doing}; ${remedy}`, { retryable: true, cause: error });
  }
  return code !== null && needsOperator.has(code)
    ? new SluiceError('SINK_BLOCKED', doing, { cause: error })
    : new SluiceError('SINK_UNAVAILABLE', doing, { retryable: true, cause: error });
}

export function errorCode(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
}

/** By name: a plugin may bring a class of its own. */
function isSluiceError(error: unknown): error is SluiceError {
  return error instanceof SluiceError;
}
