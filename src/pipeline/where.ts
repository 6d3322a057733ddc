import type { DataRecord, SluiceError } from '../api/index.ts';
import type { RecordView } from '../record/index.ts';
import { asSluiceError } from './as-sluice-error.ts';

/** Puts the records that the condition wants into `wanted`; says of the others what becomes of them. */
export function filterRecords(
  view: RecordView,
  where: (record: DataRecord) => boolean,
  to: {
    readonly wanted: RecordView;
    readonly onDropped: (index: number) => void;
    readonly onRefused: (index: number, error: SluiceError) => void;
  },
): void {
  for (let index = 0; index < view.count; index++) {
    try {
      if (where(view.record(index))) to.wanted.addFrom(view, index);
      else to.onDropped(index);
    } catch (thrown) {
      to.onRefused(index, asSluiceError(thrown, 'EXPRESSION_FAILED', 'evaluating `where`'));
    }
  }
}
