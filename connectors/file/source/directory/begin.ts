import type { SourceContext } from 'sluice/api';
import type { Archive } from '../archive/archive-reader.ts';
import { inspectArchive } from '../archive/inspect.ts';
import { readAt } from '../content.ts';
import { createRecordEnds, type RecordEnds } from '../framing/record-ends.ts';
import type { FramingSettings } from '../framing/settings.ts';
import type { FoundFile } from '../newcomers.ts';
import type { ArchiveMark } from '../position.ts';
import { compressionOf, HEAD_BYTES } from '../signature.ts';
import type { InputFile, InputStorage } from '../storage.ts';
import { TailedFile } from '../tailed-file.ts';

/** A file that was not begun yet, to be read from its beginning to the end that it has now. A compressed one is looked through first. */
export async function beginFile(
  { path, status }: FoundFile,
  { storage, framing }: { readonly storage: InputStorage; readonly framing: FramingSettings },
  { signal, clock }: SourceContext,
): Promise<Archive> {
  const opened = await storage.open(path);
  try {
    const head = await readAt(opened, 0, HEAD_BYTES);
    const { size: bytes, modified, born, key } = status;
    const format = compressionOf(head);
    const isPacked = format === 'gzip' || format === 'zstd';
    const content = isPacked
      ? await contentOf(opened, format, { framing, signal })
      : { length: bytes, limit: bytes, damage: null };
    const archive: ArchiveMark = {
      ...{ format: isPacked ? format : 'none', bytes, modified: String(modified), isTold: false },
      ...content,
    };
    const saved = { path, offset: 0, head: Buffer.alloc(0), check: '', born, isSkipping: false, skipTo: null };
    const file = new TailedFile(key, { ...saved, isRotated: true, former: [], archive }, clock.monotonic()) as Archive;
    file.isUnsaved = true;
    return file;
  } finally {
    await opened.close();
  }
}

async function contentOf(
  opened: InputFile,
  format: 'gzip' | 'zstd',
  { framing, signal }: { readonly framing: FramingSettings; readonly signal: AbortSignal },
): Promise<Pick<ArchiveMark, 'length' | 'limit' | 'damage'>> {
  const createEnds = (): RecordEnds => createRecordEnds(framing);
  const { length, recordEnd, damage } = await inspectArchive(opened, format, { offsets: [], createEnds, signal });
  return { length, limit: damage === null ? length : recordEnd, damage };
}
