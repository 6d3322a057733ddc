/**
 * What the embedded log asks of a file system: the calls whose failures, and whose loss at a crash, it is built against. Positions and lengths are bytes.
 * Errors are Node's, with their `code` (`ENOSPC`, `EIO`, `ENOENT`, `EEXIST`).
 */
export interface FileSystem {
  /** `create` makes the file and fails with `EEXIST` when it is there; `write` opens one that is there, for reading too; `read` only reads. */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<LogFile>;
  /** Names in no order. Fails with `ENOENT`. */
  list(folder: string): Promise<string[]>;
  /** With those above it; nothing happens when it is there. */
  makeFolder(path: string): Promise<void>;
  /** fsync of the folder: until then a crash may lose its newest entries, or bring back the removed. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A file. */
  remove(path: string): Promise<void>;
  /** With everything in it. */
  removeFolder(path: string): Promise<void>;
}

export interface LogFile {
  /** Writes the buffers one behind the other. May write less than asked for: resolves with the bytes written. */
  write(buffers: readonly Uint8Array[], position: number): Promise<number>;
  /** Resolves with the bytes read into `target[at, at + length)`; less than asked for only at the end of the file. */
  read(target: Uint8Array, at: number, length: number, position: number): Promise<number>;
  /** fdatasync: until then a crash may lose any of the bytes written. After it failed, nothing is known of them. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}
