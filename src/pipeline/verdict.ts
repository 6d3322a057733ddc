import { SluiceError, type Failure, type RecordFailure, type WriteResult } from '../api/index.ts';
import { asSluiceError, isSluiceError } from './as-sluice-error.ts';

/** What one attempt came to. */
export type Verdict =
  | { readonly type: 'records'; readonly failures: readonly RecordFailure[] }
  | { readonly type: 'batch'; readonly failure: Failure }
  /** The sink broke its contract: nothing is known to be written. */
  | { readonly type: 'bug'; readonly error: SluiceError };

/** The sink may be a plugin without types: what it returned is checked. Failures come in the order of their records. */
export function judgeResult(result: WriteResult, count: number): Verdict {
  const unchecked = result as Partial<{ batch: Failure; failures: readonly RecordFailure[] }> | null | undefined;
  if (unchecked?.batch !== undefined) return { type: 'batch', failure: withError(unchecked.batch) };
  if (!Array.isArray(unchecked?.failures)) return bug('returning neither failures nor a batch failure');
  const failures = (unchecked.failures as RecordFailure[]).map(withError).sort((a, b) => a.index - b.index);
  for (const [at, { index }] of failures.entries()) {
    const isRecord = Number.isInteger(index) && index >= 0 && index < count;
    if (!isRecord || failures[at - 1]?.index === index) return bug(`refusing record ${index} of ${count}, or twice`);
  }
  return { type: 'records', failures };
}

/** A `SluiceError` is a failure of the whole batch: retried if it says so, else an operator must act. */
export function judgeThrown(thrown: unknown): Verdict {
  if (!isSluiceError(thrown)) {
    return {
      type: 'bug',
      error: new SluiceError('CONNECTOR_BUG', 'writing a batch', { cause: thrown }),
    };
  }
  return { type: 'batch', failure: { disposition: thrown.retryable ? 'retry' : 'block', error: thrown } };
}

/** Did the target ask for less, all together or for some of the records? */
export function isPushedBack(verdict: Verdict): boolean {
  if (verdict.type === 'batch') return verdict.failure.disposition === 'retry';
  return verdict.type === 'records' && verdict.failures.some(({ disposition }) => disposition === 'retry');
}

function withError<Some extends Failure>(failure: Some): Some {
  return { ...failure, error: asSluiceError(failure.error, 'SINK_REJECTED', 'writing a batch') };
}

function bug(doing: string): Verdict {
  return { type: 'bug', error: new SluiceError('CONNECTOR_BUG', doing) };
}
