import type { BatchBuilder } from 'sluice/api';
import { TURN_BYTES } from './formats/format.ts';
import type { FoundRecords } from './formats/found-records.ts';
import type { HeaderList } from './record-headers.ts';

/** Appends records from the one at `from` on, for a turn; returns where to go on. The batch has room for all. */
export function appendRecords(
  batch: BatchBuilder,
  records: FoundRecords,
  { from, timestampMs, headers }: { readonly from: number; readonly timestampMs: number; readonly headers: HeaderList },
): number {
  const { source } = records;
  const turnEnd = records.start(from) + TURN_BYTES;
  const shared = headers.length === 0 ? undefined : headers;
  let index = from;
  while (index < records.count) {
    const end = records.end(index);
    const details = records.details(index);
    const isAppended =
      details === undefined
        ? batch.appendSlice(source, records.start(index), end, timestampMs, shared)
        : batch.append(
            source.subarray(records.start(index), end),
            details.key,
            details.timestampMs ?? timestampMs,
            details.headers === undefined ? shared : [...headers, ...details.headers],
          );
    if (!isAppended) throw new Error('a batch is smaller than the records that it was made for');
    index++;
    if (end >= turnEnd) break;
  }
  return index;
}
