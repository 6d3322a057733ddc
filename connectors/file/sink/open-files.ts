import { crc32 } from 'node:zlib';
import type { FileBody } from './content/content.ts';
import { errorCode } from './errors.ts';
import type { Storage, StoredFile } from './storage.ts';

/** A file that is being written, not yet seen by anyone. */
export interface PartFile {
  /** Absolute path while it is written. */
  readonly temp: string;
  /** Path when it is published, relative to the sink's folder. */
  readonly path: string;
  /** Bytes that count. There may be more in the file, of a write that failed. */
  length: number;
  /** CRC-32 of these bytes. */
  checksum: number;
  /** Up to where something may have been written. */
  reach: number;
  isCreated: boolean;
  /** What is gathered for it and not in it yet; null for lines that go into it as they are. */
  readonly body: FileBody | null;
}

/** Keeps the files written last open, up to a limit, however many are being written. */
export class OpenFiles {
  readonly #storage: Storage;
  readonly #limit: number;
  /** In the order of their last use. */
  readonly #handles = new Map<PartFile, StoredFile>();

  constructor(storage: Storage, limit: number) {
    this.#storage = storage;
    this.#limit = limit;
  }

  get count(): number {
    return this.#handles.size;
  }

  /** Puts `bytes` behind those that count, without making them count. */
  async write(file: PartFile, bytes: Uint8Array): Promise<void> {
    const handle = await this.#open(file);
    file.reach = Math.max(file.reach, file.length + bytes.length);
    for (let done = 0; done < bytes.length;) {
      const rest = done === 0 ? bytes : bytes.subarray(done);
      done += await handle.write(rest, file.length + done);
    }
  }

  /** Puts what is gathered for it into the file, where it counts. */
  async writeBlock(file: PartFile, body: FileBody): Promise<void> {
    const bytes = body.encode();
    await this.write(file, bytes);
    count(file, bytes);
    body.written();
  }

  /** Makes what counts durable and cuts off the rest. */
  async finish(file: PartFile): Promise<void> {
    if (file.body !== null) await this.#endBody(file, file.body);
    const handle = await this.#open(file);
    if (file.reach > file.length) {
      await handle.truncate(file.length);
      file.reach = file.length;
    }
    await handle.sync();
    await this.close(file);
  }

  async close(file: PartFile): Promise<void> {
    const handle = this.#handles.get(file);
    this.#handles.delete(file);
    await handle?.close();
  }

  /** Closes and deletes the file; what cannot be deleted is found by the next recovery. */
  async discard(file: PartFile): Promise<void> {
    await this.close(file).catch(() => undefined);
    if (file.isCreated) await this.#storage.unlink(file.temp).catch(() => undefined);
  }

  async #endBody(file: PartFile, body: FileBody): Promise<void> {
    await this.writeBlock(file, body);
    const end = body.end();
    await this.write(file, end);
    count(file, end);
  }

  async #open(file: PartFile): Promise<StoredFile> {
    const open = this.#handles.get(file);
    if (open !== undefined) {
      this.#handles.delete(file);
      this.#handles.set(file, open);
      return open;
    }
    while (this.#handles.size >= this.#limit) await this.#closeOldest();
    const handle = await this.#openNew(file);
    file.isCreated = true;
    this.#handles.set(file, handle);
    return handle;
  }

  async #openNew(file: PartFile): Promise<StoredFile> {
    for (;;) {
      try {
        return await this.#storage.open(file.temp, file.isCreated ? 'existing' : 'create');
      } catch (error) {
        // The process has fewer descriptors than the limit allows: make do with those that are ours.
        const isShort = errorCode(error) === 'EMFILE' || errorCode(error) === 'ENFILE';
        if (!isShort || this.#handles.size === 0) throw error;
        await this.#closeOldest();
      }
    }
  }

  async #closeOldest(): Promise<void> {
    const [oldest] = this.#handles.keys();
    if (oldest !== undefined) await this.close(oldest);
  }
}

/** Makes bytes that were written behind those that count count too. */
export function count(file: PartFile, bytes: Uint8Array): void {
  file.checksum = crc32(bytes, file.checksum);
  file.length += bytes.length;
}
