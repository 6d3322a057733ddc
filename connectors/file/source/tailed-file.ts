import type { Ancestor, ArchiveMark, SavedPosition } from './position.ts';
import { CHECK_BYTES, checkOf, HEAD_BYTES, type Signature } from './signature.ts';
import type { FileStatus, InputFile } from './storage.ts';

/** How long a copy of content that was truncated away may take to turn up. */
const FORMER_MS = 10 * 60_000;
const MAX_FORMER = 4;
const MAX_ANCESTORS = 4;
/** An open file that stays as it is is looked at less and less often. */
const MAX_POLL_MS = 5000;

/** How long a framing waits for files that are not written. */
export interface FileWaits {
  /** A file is a record, so its name says nothing. */
  readonly isWhole: boolean;
  readonly quietAfterMs: number;
}

interface FormerContent extends Signature {
  /** On the monotonic clock. */
  readonly until: number;
}

/** A file that is read, whatever it is called by now. */
export class TailedFile implements Signature {
  /** Device and inode. */
  readonly key: string;
  /** The name it was first seen under: its successor of that name shares its partition of the topic. */
  readonly stream: string;
  path: string;
  born: string | null;
  /** Where the next line begins. */
  offset: number;
  head: Buffer;
  check: string;
  isSkipping: boolean;
  skipTo: number | null;
  isRotated: boolean;
  #former: readonly FormerContent[];
  #ancestors: readonly (Ancestor & { readonly until: number })[];

  /** As it was seen last. */
  size = -1;
  links = 1;
  #modified = -1n;
  #modifiedMs = Infinity;
  #isUnsettled = false;
  lastChange = 0;
  #pollMs = 0;
  nextPollAt = 0;
  /** The number of the last scan that found it. */
  scan = 0;
  /** Since when no scan finds it. */
  missingSince: number | null = null;
  /** How far it was read: behind `offset` stands an unfinished line. */
  readTo = -1;
  handle: InputFile | null = null;
  /** Whether `head` and `check` are of what it holds since it changed last. */
  isFresh = false;
  /** Whether it was compared with `head` since the source started. */
  isBeginningKnown = false;
  isQueued = false;
  isBusy = false;
  /** The last line counts as finished. */
  isFinal = false;
  /** Nothing was written for as long as its framing waits. */
  isQuiet = false;
  /** Its position is not saved yet. */
  isUnsaved = false;
  /** The checkpoint of the same content in another place, of no use once this one is saved. */
  supersedes: string | null = null;
  /** Nothing is read that begins here or later. Infinity while the file is followed. */
  limit = Infinity;
  isDone = false;
  /** Of a compressed file, whose size and offsets are those of what it holds. */
  archive: ArchiveMark | null;
  failures = 0;

  constructor(key: string, saved: SavedPosition, now: number) {
    this.key = key;
    this.stream = saved.path;
    this.path = saved.path;
    this.born = saved.born;
    this.offset = saved.offset;
    this.head = saved.head;
    this.check = saved.check;
    this.isSkipping = saved.isSkipping;
    this.skipTo = saved.skipTo;
    this.isRotated = saved.isRotated;
    this.#former = saved.former.map((former) => ({ ...former, until: now + FORMER_MS }));
    this.archive = saved.archive ?? null;
    this.#ancestors = (saved.ancestors ?? []).map((ancestor) => ({ ...ancestor, until: now + FORMER_MS }));
    this.lastChange = now;
  }

  get former(): readonly Signature[] {
    return this.#former;
  }

  get ancestors(): readonly Ancestor[] {
    return this.#ancestors;
  }

  get unread(): number {
    return Math.max(0, this.size - Math.max(this.offset, this.readTo));
  }

  get hasUnfinishedLine(): boolean {
    return this.readTo > this.offset;
  }

  /** Takes note of how the file is now. True when something may have to be read. */
  note(status: FileStatus, now: number): boolean {
    const isChanged = status.size !== this.size || status.modified !== this.#modified;
    this.size = status.size;
    this.#modified = status.modified;
    this.#modifiedMs = status.modifiedMs;
    this.links = status.links;
    this.born ??= status.born;
    if (isChanged) {
      this.lastChange = now;
      this.isFinal = false;
      this.isQuiet = false;
      this.#pollMs = 0;
      this.nextPollAt = now;
    }
    // A second look after a change: the clock of the file system is too coarse to tell two changes at once apart.
    const wasUnsettled = this.#isUnsettled;
    this.#isUnsettled = isChanged;
    if (!isChanged && !wasUnsettled) return false;
    this.isFresh = false;
    return true;
  }

  /** Was looked at through its handle: the next time after `pollMs`, or later the longer it stays as it is; not later than it may be quiet for long enough. */
  polled(now: number, pollMs: number, { quietAfterMs }: FileWaits): void {
    this.#pollMs = Math.max(pollMs, Math.min(MAX_POLL_MS, 2 * this.#pollMs));
    const quietAt = this.lastChange + quietAfterMs;
    const isAwaited = this.hasUnfinishedLine && quietAt > now;
    this.nextPollAt = Math.min(now + this.#pollMs, isAwaited ? quietAt : Infinity);
  }

  /**
   * Was not written for so long that what is unfinished in it counts as finished: its last line, when it lost the name that it was written under, or what `isQuiet`
   * means to its framing. True when that is new.
   */
  rests(
    { now, wallNow }: { readonly now: number; readonly wallNow: number },
    { rotateWaitMs, isWhole, quietAfterMs }: FileWaits & { readonly rotateWaitMs: number },
  ): boolean {
    if (!this.hasUnfinishedLine) return false;
    const { isFinal, isQuiet } = this;
    const unchangedMs = now - this.lastChange;
    // A whole file that was moved here may have been written last long before it was seen.
    this.isQuiet = Math.max(unchangedMs, isWhole ? wallNow - this.#modifiedMs : 0) >= quietAfterMs;
    const isRotated = this.isRotated || this.missingSince !== null || this.links === 0;
    this.isFinal = isRotated && !isWhole && unchangedMs >= rotateWaitMs;
    return (this.isFinal && !isFinal) || (this.isQuiet && !isQuiet);
  }

  /** The next look at it counts as a change. */
  forgetLook(): void {
    this.#modified = -1n;
  }

  /** `bytes` hold the file from `from` on, up to index `end`. */
  sawBytes(bytes: Buffer, from: number, end: number): void {
    if (from >= HEAD_BYTES) return;
    this.head = Buffer.concat([this.head.subarray(0, from), bytes.subarray(0, Math.min(end, HEAD_BYTES - from))]);
  }

  /** Moves to `offset`, before which `bytes` end at index `end`. */
  moveTo(offset: number, bytes: Buffer, end: number): void {
    this.offset = offset;
    this.check = checkOf(bytes, end - Math.min(CHECK_BYTES, offset), end);
  }

  /** Moves to `offset` over what is no record; `check` is of the bytes before it. */
  passTo(offset: number, check: string): void {
    this.offset = offset;
    this.check = check;
  }

  /** What was read is not in the file any more: it was truncated, and may have been written anew. */
  wasReplaced(now: number): void {
    const { offset, head, check, isSkipping, skipTo } = this;
    const lasting = this.#former.filter(({ until }) => until > now);
    this.#former = [{ offset, head, check, isSkipping, skipTo, until: now + FORMER_MS }, ...lasting].slice(
      0,
      MAX_FORMER,
    );
    this.offset = 0;
    this.head = Buffer.alloc(0);
    this.check = '';
    this.isSkipping = false;
    this.skipTo = null;
    this.isFinal = false;
    this.isQuiet = false;
    this.readTo = 0;
  }

  /** `gone` had its inode before, and its checkpoint is overwritten by that of this file. */
  descendFrom({ path, offset, head, check, former, ancestors = [] }: SavedPosition, now: number): void {
    const lines = [{ path, offset, head, check }, ...former.map((signature) => ({ ...signature, path })), ...ancestors];
    const known = lines.filter((ancestor) => ancestor.offset > 0);
    this.#ancestors = known.slice(0, MAX_ANCESTORS).map((ancestor) => ({ ...ancestor, until: now + FORMER_MS }));
  }

  position(now: number): SavedPosition {
    if (this.#ancestors.length > 0) this.#ancestors = this.#ancestors.filter(({ until }) => until > now);
    if (this.#former.length > 0) this.#former = this.#former.filter(({ until }) => until > now);
    return this;
  }
}
