import type { Row } from '../rows/row.ts';
import { faultRows } from './rows/fault-rows.ts';
import { fileRows } from './rows/file-rows.ts';
import { killRows } from './rows/kill-rows.ts';
import { poisonRows } from './rows/poison-rows.ts';
import { sparkRows } from './rows/spark-rows.ts';
import { testRows } from './rows/test-rows.ts';

/** What the sinks promise, in the order in which it is shown. */
export const rows: readonly Row[] = [...killRows, ...poisonRows, ...fileRows, ...sparkRows, ...testRows, ...faultRows];
