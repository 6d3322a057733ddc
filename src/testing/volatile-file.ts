type FileChange =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly type: 'truncate'; readonly length: number };

const SECTOR_BYTES = 512;

/** What a file holds, twice: as the processes see it, and as it is on the disk. Between the two lies what was not synced. */
export class VolatileFile {
  #now = new Content();
  readonly #durable = new Content();
  #pending: FileChange[] = [];

  /** A file that is on the disk already. */
  static of(bytes: Uint8Array): VolatileFile {
    const file = new VolatileFile();
    file.write(Buffer.from(bytes), 0);
    file.sync();
    return file;
  }

  get size(): number {
    return this.#now.bytes.length;
  }

  /** Valid until the next change. */
  get bytes(): Buffer {
    return this.#now.bytes;
  }

  /** Keeps `bytes`. */
  write(bytes: Buffer, position: number): void {
    this.#change({ type: 'write', position, bytes });
  }

  truncate(length: number): void {
    this.#change({ type: 'truncate', length });
  }

  sync(): void {
    for (const change of this.#pending) this.#durable.apply(change);
    this.#pending = [];
  }

  /**
   * As Linux does after a failed write-back: what was not synced reached the disk or did not, and counts as clean from now on, so that the next sync succeeds
   * without it. Readers go on seeing it, or from now on see the disk, as the page cache likes. The length stays.
   */
  failSync(random: () => number): void {
    const { size } = this;
    this.#settle(random, 0.3);
    if (random() < 0.5) this.#now = this.#durable.copy();
    this.truncate(size);
  }

  /** The power is gone: each change is kept by the chance `survival`, lost, or torn. */
  crash(random: () => number, survival: number): void {
    this.#settle(random, survival);
    this.#now = this.#durable.copy();
  }

  #change(change: FileChange): void {
    this.#now.apply(change);
    this.#pending.push(change);
  }

  #settle(random: () => number, survival: number): void {
    for (const change of this.#pending) {
      if (random() < survival) this.#durable.apply(change);
      else if (change.type === 'write' && survival > 0 && random() < 0.5) tear(this.#durable, change, random);
    }
    this.#pending = [];
  }
}

/** A part of a write: up to a byte, up to a sector, or some of its sectors, with zeros where the others would be. */
function tear(content: Content, write: { position: number; bytes: Buffer }, random: () => number): void {
  const { position, bytes } = write;
  const form = random();
  if (form < 0.6) {
    const length = Math.floor(random() * bytes.length);
    const end = form < 0.3 ? length : Math.max(0, sectorBelow(position + length) - position);
    content.apply({ type: 'write', position, bytes: bytes.subarray(0, end) });
    return;
  }
  const end = position + bytes.length;
  if (content.bytes.length < end) content.apply({ type: 'truncate', length: end });
  for (let at = position; at < end;) {
    const next = Math.min(end, sectorBelow(at) + SECTOR_BYTES);
    const sector = bytes.subarray(at - position, next - position);
    if (random() < 0.5) content.apply({ type: 'write', position: at, bytes: sector });
    at = next;
  }
}

function sectorBelow(position: number): number {
  return position - (position % SECTOR_BYTES);
}

/** Bytes that grow. What was never written reads as zeros. */
class Content {
  #store = Buffer.alloc(0);
  #length = 0;

  get bytes(): Buffer {
    return this.#store.subarray(0, this.#length);
  }

  copy(): Content {
    const copy = new Content();
    copy.#store = Buffer.from(this.bytes);
    copy.#length = this.#length;
    return copy;
  }

  apply(change: FileChange): void {
    if (change.type === 'truncate') this.#resize(change.length);
    else if (change.bytes.length > 0) {
      const end = change.position + change.bytes.length;
      if (end > this.#length) this.#resize(end);
      this.#store.set(change.bytes, change.position);
    }
  }

  #resize(length: number): void {
    if (length > this.#store.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.#store.length));
      grown.set(this.bytes);
      this.#store = grown;
    }
    if (length < this.#length) this.#store.fill(0, length, this.#length);
    this.#length = length;
  }
}
