import { describeError, type Logger } from 'sluice/api';

/** Says once what is wrong with a path, until it is well again. */
export class Complaints {
  readonly #log: Logger;
  readonly #made = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  get count(): number {
    return this.#made.size;
  }

  about(path: string, error: unknown, message: string): void {
    const cause = describeError(error);
    if (this.#made.get(path) === cause) return;
    this.#made.set(path, cause);
    this.#log.warn({ path, cause }, message);
  }

  /** Others are not there any more, so nothing is wrong with them. */
  retain(paths: ReadonlySet<string>): void {
    for (const path of this.#made.keys()) if (!paths.has(path)) this.#made.delete(path);
  }

  settled(path: string): void {
    if (this.#made.delete(path)) this.#log.info({ path }, 'readable again');
  }
}

/** Of the file system, and so of one file: the others go on. */
export function isFileError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error;
}
