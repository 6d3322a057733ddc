import type { DataRecord, SluiceError } from '../api/index.ts';
import type { RecordView } from '../record/index.ts';
import { asSluiceError } from './as-sluice-error.ts';

/**
 * Puts the records from `from` on that the condition wants into `wanted`; says of the others what becomes of them. Stops behind the last of
 * `maxRefused` refused ones, and returns where it stopped.
 */
export function filterRecords(
  view: RecordView,
  where: (record: DataRecord) => boolean,
  to: {
    readonly from: number;
    readonly maxRefused: number;
    readonly wanted: RecordView;
    readonly onDropped: (index: number) => void;
    readonly onRefused: (index: number, error: SluiceError) => void;
  },
): number {
  let refused = 0;
  let index = to.from;
  while (index < view.count && refused < to.maxRefused) {
    try {
      if (where(view.record(index))) to.wanted.addFrom(view, index);
      else to.onDropped(index);
    } catch (thrown) {
      to.onRefused(index, asSluiceError(thrown, 'EXPRESSION_FAILED', 'evaluating `where`'));
      refused++;
    }
    index++;
  }
  return index;
}
