import type { FramingSettings } from '../framing/settings.ts';
import type { InputStorage } from '../storage.ts';
import type { FinishFiles } from './finish.ts';

/** Durations in milliseconds, paths absolute. */
export interface DirectorySettings {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly follows: boolean;
  readonly onDone: 'keep' | 'rename' | 'move' | 'delete';
  readonly doneSuffix: string;
  /** Not null with `move`. */
  readonly moveTo: string | null;
  readonly framing: FramingSettings;
  readonly completeAfterMs: number;
  readonly scanMs: number;
  readonly storage: InputStorage;
  readonly finishFiles: FinishFiles;
}
