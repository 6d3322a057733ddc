import type { SourceContext } from 'sluice/api';
import type { Complaints } from './complaints.ts';
import { isFileError } from './complaints.ts';
import type { FileTable } from './file-table.ts';
import type { OpenFiles } from './open-files.ts';
import type { FileSourceSettings } from './settings.ts';
import type { TailedFile } from './tailed-file.ts';
import type { Unsettled } from './unsettled.ts';

interface TailRunParts {
  readonly settings: FileSourceSettings;
  readonly context: SourceContext;
  /** With a fixed end there is no waiting for what will become of a file. */
  readonly ends: boolean;
  readonly complaints: Complaints;
  readonly table: FileTable;
  readonly open: OpenFiles;
  readonly unsettled: Unsettled;
  /** The next search shall be made as soon as may be. */
  readonly scanSoon: () => void;
}

/** What the parts of one run over the files share. */
export class TailRun {
  readonly settings: FileSourceSettings;
  readonly context: SourceContext;
  readonly ends: boolean;
  readonly complaints: Complaints;
  readonly table: FileTable;
  readonly open: OpenFiles;
  readonly unsettled: Unsettled;
  readonly scanSoon: () => void;

  constructor(parts: TailRunParts) {
    this.settings = parts.settings;
    this.context = parts.context;
    this.ends = parts.ends;
    this.complaints = parts.complaints;
    this.table = parts.table;
    this.open = parts.open;
    this.unsettled = parts.unsettled;
    this.scanSoon = parts.scanSoon;
  }

  /** On the monotonic clock. */
  get now(): number {
    return this.context.clock.monotonic();
  }

  /** Throws what is no file's error. */
  complainOf(path: string, error: unknown): void {
    if (!isFileError(error)) throw error;
    // It has another name by now: the next scan finds it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.complaints.about(path, error, 'file not readable');
  }

  forget(key: string): void {
    this.unsettled.add(this.context.forget(key));
  }

  async drop(file: TailedFile): Promise<void> {
    await this.open.close(file);
    this.table.drop(file);
  }
}
