import type { Row } from '../rows/row.ts';
import { badInputRows } from './rows/bad-input-rows.ts';
import { formatRows } from './rows/format-rows.ts';
import { forwardRows } from './rows/forward-rows.ts';
import { httpRows } from './rows/http-rows.ts';
import { killRows } from './rows/kill-rows.ts';
import { loadRows } from './rows/load-rows.ts';
import { syslogRows } from './rows/syslog-rows.ts';
import { testRows } from './rows/test-rows.ts';

/** What the sources promise, in the order in which it is shown. */
export const rows: readonly Row[] = [
  ...forwardRows,
  ...syslogRows,
  ...httpRows,
  ...formatRows,
  ...killRows,
  ...loadRows,
  ...badInputRows,
  ...testRows,
];
