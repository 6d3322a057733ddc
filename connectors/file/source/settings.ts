import type { FramingSettings } from './framing/settings.ts';
import type { InputStorage } from './storage.ts';
import type { watchFolders } from './watch-folders.ts';

/** Durations in milliseconds, patterns absolute. */
export interface FileSourceSettings {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly follows: boolean;
  readonly start: 'beginning' | 'end';
  readonly framing: FramingSettings;
  readonly ignoreOlderMs: number;
  readonly pollMs: number;
  readonly scanMs: number;
  readonly rotateWaitMs: number;
  readonly closeInactiveMs: number;
  readonly forgetAfterMs: number;
  /** How long a file that looks like a copy in the making waits for its original to be truncated. */
  readonly copyWaitMs: number;
  /** A compressed file is looked into when it did not change for so long, and one that ends too early counts as damaged after the longer time. */
  readonly archiveSettleMs: number;
  readonly archiveWaitMs: number;
  readonly maxOpenFiles: number;
  readonly storage: InputStorage;
  /** Null: polling alone. */
  readonly watchFolders: typeof watchFolders | null;
}
