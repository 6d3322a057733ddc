import type { SluiceError } from '../api/index.ts';
import type { ViewCondition } from '../expression/index.ts';
import type { RecordView } from '../record/index.ts';
import { asSluiceError } from './as-sluice-error.ts';

/**
 * Puts the records from `from` on that the condition wants into `wanted`; says of the others what becomes of them. Stops behind the last of
 * `maxRefused` refused ones, and returns where it stopped.
 */
export function filterRecords(
  view: RecordView,
  where: ViewCondition,
  to: {
    readonly from: number;
    readonly maxRefused: number;
    readonly wanted: RecordView;
    /** The records of [first, end). */
    readonly onDropped: (first: number, end: number) => void;
    readonly onRefused: (index: number, error: SluiceError) => void;
  },
): number {
  let refused = 0;
  let index = to.from;
  // Most conditions want few records: those between them are dropped together.
  let droppedFrom = index;
  while (index < view.count && refused < to.maxRefused) {
    try {
      if (where(view, index)) {
        if (index > droppedFrom) to.onDropped(droppedFrom, index);
        droppedFrom = index + 1;
        to.wanted.addFrom(view, index);
      }
    } catch (thrown) {
      if (index > droppedFrom) to.onDropped(droppedFrom, index);
      droppedFrom = index + 1;
      to.onRefused(index, asSluiceError(thrown, 'EXPRESSION_FAILED', 'evaluating `where`'));
      refused++;
    }
    index++;
  }
  if (index > droppedFrom) to.onDropped(droppedFrom, index);
  return index;
}
