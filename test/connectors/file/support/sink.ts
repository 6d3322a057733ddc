import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStorage, type Storage, type StoredFile } from '../../../../connectors/file/sink/storage.ts';
import { FileSink, type FileSinkSettings } from '../../../../connectors/file/sink.ts';
import type { LineContent } from '../../../../connectors/file/sink/content/content.ts';
import type { Template } from '../../../../src/api/index.ts';
import {
  createSinkHarness,
  publishedFiles,
  type ManualClock,
  type SinkHarness,
} from '../../../../src/testing/index.ts';

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'sluice-file-sink-'));

export const rawLines: LineContent = { kind: 'lines', ending: '.log', isJson: false, begin: null };

const constantPath = (folder: string): Template => ({ constant: folder, prefix: folder, render: () => folder });

/** Renders `folder/<what render says of the decoded value>`. */
export const pathBy = (folder: string, render: (value: unknown) => string): Template => ({
  constant: null,
  prefix: folder,
  render: (batch, index) => `${folder}/${render(batch.record(index).value)}`,
});

const open = new Set<StoredFile>();

const watchedStorage: Storage = {
  ...nodeStorage,
  async open(path, mode) {
    const file = await nodeStorage.open(path, mode);
    open.add(file);
    const close = file.close.bind(file);
    file.close = () => {
      open.delete(file);
      return close();
    };
    return file;
  },
};

/** A killed process leaves no open files; a killed harness does. */
export async function closeLeftOpen(): Promise<void> {
  for (const file of open) await file.close();
}

export interface SinkSetUp extends Partial<Omit<FileSinkSettings, 'roll'>> {
  readonly folder: string;
  readonly roll?: Partial<FileSinkSettings['roll']>;
  readonly storage?: Storage;
  readonly partitions?: number;
  readonly hubId?: string;
  readonly clock?: ManualClock;
}

export function fileSinkHarness({
  folder,
  roll,
  storage,
  partitions,
  hubId,
  clock,
  ...settings
}: SinkSetUp): SinkHarness {
  const all: FileSinkSettings = {
    path: constantPath(folder),
    content: rawLines,
    maxOpenFiles: 128,
    ...settings,
    roll: { size: 1 << 30, age: 60_000, idle: 2000, records: Infinity, ...roll },
  };
  return createSinkHarness({
    create: (context) => new FileSink(all, context, storage ?? watchedStorage),
    ...(partitions === undefined ? {} : { partitions }),
    ...(hubId === undefined ? {} : { hubId }),
    ...(clock === undefined ? {} : { clock }),
  });
}

/** All published lines below `folder`, file by file. */
export async function publishedLines(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for (const file of await publishedFiles(folder)) {
    const text = await readFile(file, 'utf8');
    if (!text.endsWith('\n')) throw new Error(`${file} ends with a torn line`);
    lines.push(...text.slice(0, -1).split('\n'));
  }
  return lines;
}
