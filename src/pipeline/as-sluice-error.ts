import { SluiceError, type ErrorCode } from '../api/index.ts';

/** Connectors of other packages may bring their own copy of the class. */
export function isSluiceError(thrown: unknown): thrown is SluiceError {
  return (
    thrown instanceof SluiceError ||
    (typeof thrown === 'object' &&
      thrown !== null &&
      'name' in thrown &&
      thrown.name === 'SluiceError' &&
      'code' in thrown)
  );
}

/** What was thrown, or a `SluiceError` around it that says what was being done. */
export function asSluiceError(thrown: unknown, code: ErrorCode, doing: string): SluiceError {
  if (isSluiceError(thrown)) return thrown;
  return new SluiceError(code, doing, { cause: thrown });
}
