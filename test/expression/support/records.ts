import type { DataRecord, RecordBatch } from '../../../src/api/index.ts';
import { recordBatch } from '../../../src/testing/index.ts';

/** 2026-01-31T23:05:09.007Z, a Saturday. */
export const TIME = Date.UTC(2026, 0, 31, 23, 5, 9, 7);

export function recordOf(value: unknown, more: Partial<DataRecord> = {}): DataRecord {
  return { key: null, value, timestamp: TIME, headers: {}, topic: 'in', partition: 3, offset: 41, ...more };
}

/** A batch of one record with this value as JSON. */
export function batchOf(value: unknown): RecordBatch {
  const records = [{ value: JSON.stringify(value), timestamp: TIME }];
  return recordBatch([{ partition: { topic: 'in', partition: 3, incarnation: 'AAAAAAAA' }, base: 41, records }]);
}

/** The code and the message of what `run` throws. */
export function thrownBy(run: () => unknown): { readonly code: string; readonly message: string } {
  try {
    run();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
  throw new Error('it threw nothing');
}
