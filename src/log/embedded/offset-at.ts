import { join } from 'node:path';
import { RecordView, type BatchHeader } from '../../record/index.ts';
import type { FileSystem } from './file-system.ts';
import { listIfThere, withFile } from './files.ts';
import type { PartitionEnd } from './journal-frame.ts';
import { isMissing } from './log-errors.ts';
import { parseSegmentName, segmentName } from './paths.ts';
import { scanHeaders } from './segment-scan.ts';

/**
 * The batch that holds the first record written at that time or later, as the range of its offsets; null when there is none. Goes by the headers of batches: the
 * time index is a hint that may lack its last entries.
 */
export async function findBatchAt(
  fileSystem: FileSystem,
  folder: string,
  { end, timestampMs }: { readonly end: PartitionEnd; readonly timestampMs: number },
): Promise<{ readonly from: number; readonly to: number } | null> {
  const names = await listIfThere(fileSystem, folder);
  const bases = names.flatMap((name) => parseSegmentName(name) ?? []).sort((a, b) => a - b);
  for (const base of bases.filter((one) => one >= end.start && one <= end.segment)) {
    const path = join(folder, segmentName(base));
    let found: BatchHeader | null = null;
    const scan = withFile(fileSystem, path, 'read', async (file) => {
      const to = base === end.segment ? end.bytes : await file.size();
      await scanHeaders({ file, path, from: 0, to }, (header) => {
        if (header.count > 0 && header.maxTimestamp >= timestampMs) found = header;
        return found === null;
      });
    });
    await scan.catch((error: unknown) => {
      // Retention took it since it was listed.
      if (!isMissing(error)) throw error;
    });
    const header = found as BatchHeader | null;
    if (header !== null) return { from: header.baseOffset, to: header.baseOffset + header.lastOffsetDelta + 1 };
  }
  return null;
}

/** Of the records in these stored batches the first that was written at that time or later. */
export function firstRecordAt(
  chunk: Buffer,
  { from, timestampMs }: { readonly from: number; readonly timestampMs: number },
): number | null {
  const records = new RecordView({ decode: (bytes) => bytes });
  records.addStored({ topic: '', partition: 0, incarnation: '' }, chunk, from);
  for (let index = 0; index < records.count; index++)
    if (records.timestamp(index) >= timestampMs) return records.offset(index);
  return null;
}
