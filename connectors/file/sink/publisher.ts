import { SluiceError, type AssignedPartition, type TopicPartition } from 'sluice/api';
import { crashPoint } from 'sluice/toolkit';
import { dirname, join } from 'node:path';
import { errorCode } from './errors.ts';
import {
  decodeManifest,
  encodeManifest,
  isTempOf,
  partitionPrefix,
  sequenceName,
  sequenceOf,
  STATE_FOLDER,
  tempName,
  type Manifest,
  type ManifestFile,
} from './manifest.ts';
import type { Storage } from './storage.ts';

/** How many manifests of a partition are kept. */
const KEPT_MANIFESTS = 1000;

/**
 * Makes finished temps visible, exactly once each, whatever happens in between: temps and their names durable → manifest linked under its sequence (the commit) → each
 * file linked to its listed name → folders durable → temps unlinked. What was cut off behind the commit is finished by the next `recover`.
 */
export class Publisher {
  readonly #storage: Storage;
  /** Absolute; everything happens below it. */
  readonly #folder: string;
  readonly #state: string;
  readonly #hubId: string;

  constructor(options: { storage: Storage; folder: string; hubId: string }) {
    this.#storage = options.storage;
    this.#folder = options.folder;
    this.#state = join(options.folder, STATE_FOLDER);
    this.#hubId = options.hubId;
  }

  tempPath(partition: TopicPartition, sequence: number, number: number): string {
    return join(this.#state, tempName(partition, sequence, number, this.#hubId));
  }

  /** Makes the sink's folders, and lists what was left in them. */
  async open(): Promise<readonly string[]> {
    await this.#storage.makeFolder(this.#state);
    return this.#storage.list(this.#state);
  }

  /**
   * Finishes what the newest manifest of a partition lists, deletes the partition's temps and resolves with that manifest; null when there
   * is none. `names` is what `open` listed.
   */
  async recover(partition: AssignedPartition, names: readonly string[]): Promise<Manifest | null> {
    const prefix = partitionPrefix(partition);
    const sequences = names.flatMap((name) => sequenceOf(name, prefix) ?? []).sort((a, b) => a - b);
    const newest = sequences.at(-1);
    const manifest = newest === undefined ? null : await this.#read(partition, newest);
    // A life that was cut off may have linked its manifest without making the link durable.
    if (manifest !== null) await this.#storage.syncFolder(this.#state);
    if (manifest !== null) await this.#publish(manifest);
    for (const name of names) if (isTempOf(name, prefix)) await this.#unlink(join(this.#state, name));
    for (const old of sequences.slice(0, -KEPT_MANIFESTS)) await this.#unlink(this.#manifestPath(partition, old));
    return manifest;
  }

  /**
   * Commits and publishes temps that are durable. Throws `SINK_CONFLICT` when another writer was first (retryable), or when a file that is not ours has the
   * name of one of these: nothing is committed then.
   */
  async commit(partition: TopicPartition, manifest: Manifest): Promise<void> {
    await this.#checkNewest(partition, manifest.sequence);
    await this.#makeRoom(manifest.files);
    const path = this.#manifestPath(partition, manifest.sequence);
    const temp = join(this.#state, tempName(partition, manifest.sequence, 0, this.#hubId));
    await this.#write(temp, encodeManifest(manifest));
    // A manifest must not survive a power cut that the names of its temps do not.
    await this.#storage.syncFolder(this.#state);
    crashPoint('file-closed');
    try {
      await this.#storage.link(temp, path);
      crashPoint('manifest-linked');
    } catch (error) {
      if (errorCode(error) === 'EEXIST') throw otherWriter(path);
      throw error;
    }
    await this.#storage.syncFolder(this.#state);
    await this.#publish(manifest);
    await this.#unlink(temp);
    const outdated = manifest.sequence - KEPT_MANIFESTS;
    if (outdated > 0) await this.#unlink(this.#manifestPath(partition, outdated));
  }

  /** Folders and free names, before the commit: behind it there is no way back. */
  async #makeRoom(files: readonly ManifestFile[]): Promise<void> {
    const real = await this.#storage.realPath(this.#folder);
    const folders = new Set(files.map(({ path }) => dirname(path)));
    for (const folder of folders) {
      const path = join(this.#folder, folder);
      await this.#storage.makeFolder(path);
      if ((await this.#storage.realPath(path)) !== join(real, folder))
        throw blocked(path, 'a symbolic link stands in its way; remove it');
      if ((await this.#device(path)) !== (await this.#device(this.#state))) {
        throw blocked(path, `it is on another file system than "${this.#folder}", and files cannot be linked there`);
      }
    }
    for (const { path, temp, length } of files) {
      const own = await this.#storage.stat(join(this.#state, temp));
      if (own?.size !== length) {
        const doing = `publishing "${path}": its temporary file was removed or changed by somebody else`;
        throw new SluiceError('SINK_CONFLICT', doing, { retryable: true });
      }
      if ((await this.#storage.stat(join(this.#folder, path))) !== null) throw nameTaken(join(this.#folder, path));
    }
  }

  async #device(path: string): Promise<string | undefined> {
    return (await this.#storage.stat(path))?.device;
  }

  async #checkNewest(partition: TopicPartition, sequence: number): Promise<void> {
    const path = this.#manifestPath(partition, sequence);
    const before = this.#manifestPath(partition, sequence - 1);
    if ((await this.#storage.stat(path)) !== null) throw otherWriter(path);
    if (sequence > 1 && (await this.#storage.stat(before)) === null) throw otherWriter(before);
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    // Of an attempt that failed before its link.
    await this.#unlink(path);
    const file = await this.#storage.open(path, 'create');
    try {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done), done);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #publish({ files }: Manifest): Promise<void> {
    const folders = new Set<string>();
    for (const file of files) {
      const path = join(this.#folder, file.path);
      await this.#publishFile(file, path);
      crashPoint('file-published');
      folders.add(dirname(path));
    }
    for (const folder of folders)
      if ((await this.#storage.stat(folder)) !== null) await this.#storage.syncFolder(folder);
    for (const { temp } of files) await this.#unlink(join(this.#state, temp));
  }

  async #publishFile({ temp, length }: ManifestFile, path: string): Promise<void> {
    const own = await this.#storage.stat(join(this.#state, temp));
    // Temps go last: the file was published, and may have been taken away by a reader since.
    if (own === null) return;
    const there = await this.#storage.stat(path);
    if (there === null && own.links > 1) return;
    if (there === null) {
      await this.#storage.makeFolder(dirname(path));
      await this.#storage.link(join(this.#state, temp), path);
    } else if (there.inode !== own.inode && there.size !== length) throw nameTaken(path);
  }

  async #read(partition: TopicPartition, sequence: number): Promise<Manifest> {
    const path = this.#manifestPath(partition, sequence);
    return decodeManifest(await this.#storage.read(path), path);
  }

  async #unlink(path: string): Promise<void> {
    try {
      await this.#storage.unlink(path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  #manifestPath(partition: TopicPartition, sequence: number): string {
    return join(this.#state, sequenceName(partition, sequence));
  }
}

function otherWriter(path: string): SluiceError {
  const doing = `committing files: another writer publishes this partition ("${path}")`;
  return new SluiceError('SINK_CONFLICT', doing, { retryable: true });
}

function blocked(path: string, why: string): SluiceError {
  return new SluiceError('SINK_BLOCKED', `publishing files in "${path}": ${why}`);
}

function nameTaken(path: string): SluiceError {
  return new SluiceError('SINK_CONFLICT', `publishing "${path}": another file has this name; move it away`);
}
