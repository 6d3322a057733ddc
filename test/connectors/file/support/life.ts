import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceHarness, SourceHarnessOptions } from '../../../../src/testing/index.ts';
import { fileSourceHarness, temporaryFolder, type SourceSettings } from './source.ts';

/** What each test of a file gets: an empty folder, and a source that reads it. Both are gone when the test is over. */
export interface FileLife {
  readonly folder: string;
  /** The path of a name in the folder. */
  at(name: string): string;
  /** A source of the folder, which is killed at the end. */
  create(settings?: SourceSettings, options?: Partial<SourceHarnessOptions>): SourceHarness;
  /** The same, begun. */
  started(settings?: SourceSettings, options?: Partial<SourceHarnessOptions>): Promise<SourceHarness>;
  /** Kills a source that came about otherwise at the end. */
  keep(source: SourceHarness): SourceHarness;
}

export function fileLife(): FileLife {
  let folder = '';
  let kept: SourceHarness | null = null;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    // It may have ended by itself.
    await kept?.kill().catch(() => undefined);
    kept = null;
    await rm(folder, { recursive: true, force: true });
  });

  const life: FileLife = {
    get folder() {
      return folder;
    },
    at: (name) => join(folder, name),
    create: (settings, options) => life.keep(fileSourceHarness(folder, settings, options)),
    async started(settings, options) {
      const source = life.create(settings, options);
      await source.start();
      return source;
    },
    keep: (source) => (kept = source),
  };
  return life;
}
