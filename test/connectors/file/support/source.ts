import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSource } from '../../../../connectors/file/source.ts';
import type { FramingSettings } from '../../../../connectors/file/source/framing/settings.ts';
import type { FileSourceSettings } from '../../../../connectors/file/source/settings.ts';
import { createNodeStorage } from '../../../../connectors/file/source/storage.ts';
import { realClock } from '../../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness, type SourceHarnessOptions } from '../../../../src/testing/index.ts';

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'sluice-file-source-'));

/** Lines `line FROM` up to `line TO`, without the last, each with its line feed. */
export const numbered = (from: number, to: number, name = 'line'): string =>
  Array.from({ length: to - from }, (_, index) => `${name} ${from + index}\n`).join('');
export const lines = (text: string): string[] => text.split('\n').slice(0, -1);

export const plainLines: FramingSettings = {
  framing: 'lines',
  lengthBytes: 4,
  byteOrder: 'big',
  encoding: 'utf-8',
  keepsCarriageReturn: false,
  maxLineBytes: Infinity,
  onLongLine: 'dead_letter',
  completeAfterMs: 60_000,
  multiline: null,
  pathFields: null,
  addHeaders: [],
};

export type SourceSettings = Partial<Omit<FileSourceSettings, 'framing'>> & {
  readonly framing?: Partial<FramingSettings>;
};

/** A source of `folder/*` that looks often and waits long. */
export function fileSourceHarness(
  folder: string,
  { framing, ...settings }: SourceSettings = {},
  options: Partial<SourceHarnessOptions> = {},
): SourceHarness {
  const all: FileSourceSettings = {
    include: [join(folder, '*')],
    exclude: [],
    follows: true,
    start: 'beginning',
    framing: { ...plainLines, ...framing },
    ignoreOlderMs: Infinity,
    pollMs: 10,
    scanMs: 10,
    rotateWaitMs: 60_000,
    closeInactiveMs: 60_000,
    forgetAfterMs: 600_000,
    copyWaitMs: 60_000,
    archiveSettleMs: 20,
    archiveWaitMs: 60_000,
    maxOpenFiles: 64,
    storage: createNodeStorage(),
    watchFolders: null,
    ...settings,
  };
  return createSourceHarness({ clock: realClock, ...options, create: () => new FileSource(all) });
}

export async function eventually(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain for ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
